"""Time travel: the cluster as it was, what changed between two moments, and why something is as it is."""

from minik8s.history.diff import Change
from minik8s.history.history import History, Snapshot

__all__ = ["Change", "History", "Snapshot"]
