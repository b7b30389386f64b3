"""Faults as an API: injected, scheduled, recorded, undone."""

from minik8s.faults.faults import Fault, Faults

__all__ = ["Fault", "Faults"]
