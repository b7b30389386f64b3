"""Programs that simulated containers can run, found by name as a shell finds them."""

from __future__ import annotations

from minik8s.kubelet.behaviour import Behaviour
from minik8s.kubelet.images import Image
from minik8s.kubelet.programs.archive import ARCHIVE_COMMANDS
from minik8s.kubelet.programs.files import FILE_COMMANDS
from minik8s.kubelet.programs.net import NET_COMMANDS
from minik8s.kubelet.programs.servers import SERVERS, daemon
from minik8s.kubelet.programs.shell import shell
from minik8s.kubelet.programs.system import SYSTEM_COMMANDS
from minik8s.kubelet.programs.text import TEXT_COMMANDS
from minik8s.kubelet.tasks import Command, Process, Program

COMMANDS: dict[str, Command] = {
    **ARCHIVE_COMMANDS,
    **FILE_COMMANDS,
    **NET_COMMANDS,
    **SERVERS,
    **SYSTEM_COMMANDS,
    **TEXT_COMMANDS,
}

WRAPPERS = frozenset({"docker-entrypoint.sh", "entrypoint.sh", "tini", "dumb-init", "exec"})
"""Programs that only run what follows them."""


class NotFound(Exception):
    """No such program: the message is runc's."""


def find_program(argv: list[str], image: Image | None, behaviour: Behaviour) -> Command:
    """The program that `argv` names in `image` (wrappers are removed from argv). NotFound as runc says it."""
    while argv and argv[0].rpartition("/")[2] in WRAPPERS:
        del argv[0]
        while argv and argv[0].startswith("-"):
            del argv[0]
    if not argv:
        raise NotFound(start_error("", "no command specified"))
    found = lookup(argv[0], image)
    if found is None:
        raise NotFound(start_error(argv[0]))

    def run(process: Process) -> Program:
        process.argv = argv
        return found(process)

    return run


def lookup(word: str, image: Image | None) -> Command | None:
    """The program behind one word of a command line."""
    name = word.rpartition("/")[2]
    if image is not None:
        own = (*image.entrypoint, *image.command)
        if word in own and (name not in COMMANDS or (_at_root(word) and name not in SERVERS)):
            return daemon
        if image.programs is not None and word not in image.programs and word not in own:
            return None
    return COMMANDS.get(name)


def _at_root(word: str) -> bool:
    """`/whoami` of an image is that image's application; `/bin/whoami` is the usual command."""
    return word.startswith("/") and word.count("/") == 1


def start_error(word: str, why: str = "executable file not found in $PATH") -> str:
    """runc's words for a program `word` that does not start."""
    quoted = f'exec: "{word}": ' if word else ""
    if word.startswith("/") and why.startswith("executable"):
        quoted, why = f'exec: "{word}": ', f"stat {word}: no such file or directory"
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        f"unable to start container process: error during container init: {quoted}{why}"
    )


_shell = shell(lookup)
COMMANDS.update(dict.fromkeys(("sh", "bash", "ash", "dash", "zsh"), _shell))
