"""What processes use, from /proc (Linux). Elsewhere nothing is measured: `kubectl top` has no figures there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
KEEP_SECONDS = 0.5
"""One look at all processes serves whoever asks in this time."""


class Sample(NamedTuple):
    """cpu in seconds since the start, memory in bytes that are the processes' own (not shared libraries)."""

    cpu: float
    memory: int


class Processes:
    """Samples by session: everything that one start has brought about."""

    def __init__(self) -> None:
        self._seen = -1e9
        self._samples: dict[int, Sample] = {}
        self.measures = (PROC / "self" / "statm").exists()

    def sample(self, session: int) -> Sample | None:
        if not self.measures:
            return None
        if time.monotonic() - self._seen > KEEP_SECONDS:
            self._samples, self._seen = _look(), time.monotonic()
        return self._samples.get(session, Sample(0.0, 0))


def _look() -> dict[int, Sample]:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    out: dict[int, Sample] = {}
    for name in os.listdir(PROC):
        if not name.isdigit():
            continue
        try:
            fields = (PROC / name / "stat").read_bytes().rpartition(b")")[2].split()
            statm = (PROC / name / "statm").read_bytes().split()
        except OSError:
            continue
        session = int(fields[3])
        cpu = sum(int(field) for field in fields[11:15]) / ticks  # its own, and of children that have ended
        memory = (int(statm[1]) - int(statm[2])) * page
        before = out.get(session, Sample(0.0, 0))
        out[session] = Sample(before.cpu + cpu, before.memory + memory)
    return out
