"""minik8s: a pure-Python Kubernetes that speaks the real API and runs in virtual time."""

__version__ = "0.1.0"
