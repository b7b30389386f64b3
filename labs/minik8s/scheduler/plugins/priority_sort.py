"""PrioritySort: higher priority first, then who came first."""

from __future__ import annotations

from minik8s.scheduler.framework import Plugin
from minik8s.scheduler.snapshot import PodInfo


class PrioritySort(Plugin):
    name = "PrioritySort"

    def sort_key(self, pod: PodInfo, arrival: float) -> tuple[int, float]:
        return -pod.priority, arrival
