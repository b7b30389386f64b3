from minik8s.scheduler.framework import Handle
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import Snapshot


class FastScheduler(Scheduler):
    def __init__(self, snapshot: Snapshot, handle: Handle) -> None:
        super().__init__(snapshot)
