"""Sets of completion indexes, written as "0-2,4" (pkg/controller/job/indexed_job_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable

from minik8s.objects import Object
from minik8s.objects.meta import annotations_of

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def is_indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def per_index(job: Object) -> bool:
    return job["spec"].get("backoffLimitPerIndex") is not None


def index_of(pod: Object) -> int | None:
    try:
        found = int(annotations_of(pod)[INDEX])
    except (KeyError, ValueError):
        return None
    return found if found >= 0 else None


def parse_indexes(text: str | None, completions: int) -> set[int]:
    """The indexes below `completions` in "0-2,4"."""
    out: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first:
            out.update(range(int(first), min(int(last or first), completions - 1) + 1))
    return out


def format_indexes(indexes: Iterable[int]) -> str:
    """Runs of three or more as "0-2"; two neighbours stay "0,1"."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    parts = []
    for first, last in runs:
        parts.append(str(first) if first == last else f"{first}{',' if last == first + 1 else '-'}{last}")
    return ",".join(parts)


def failure_count(pod: Object) -> int:
    """How often pods of this index failed before this one."""
    return _number(pod, FAILURES)


def ignored_count(pod: Object) -> int:
    return _number(pod, IGNORED)


def all_failures(pod: Object) -> int:
    return failure_count(pod) + ignored_count(pod)


def _number(pod: Object, name: str) -> int:
    try:
        return int(annotations_of(pod).get(name, "0"))
    except ValueError:
        return 0
