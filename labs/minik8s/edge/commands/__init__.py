"""One file per command: HELP, arguments(parser) and run(arguments) -> exit status; the docstring is its description."""

COMMANDS = [
    "up",
    "down",
    "status",
    "reset",
    "kubeconfig",
    "version",
    "schedule",
    "class_",
    "doctor",
    "kind",
    "minikube",
    "images",
]
