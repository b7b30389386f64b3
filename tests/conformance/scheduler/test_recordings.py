"""The scheduler against recordings of kube-scheduler 1.36: every decision equal, to the last score and word."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from minik8s.scheduler import cases

RECORDINGS = sorted(Path(__file__).parent.glob("*.json.gz"))


def load(path: Path) -> list[dict[str, Any]]:
    return json.loads(gzip.decompress(path.read_bytes()))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.split(".")[0])
def test_decisions_equal_the_recorded_ones(path: Path) -> None:
    for case in load(path):
        (answer,) = cases.run([case])
        assert answer["name"] == case["name"]
        assert len(answer["expect"]) == len(case["expect"]), case["name"]
        for got, recorded in zip(answer["expect"], case["expect"], strict=True):
            assert got == recorded, f"{case['name']} {recorded['pod']}"


def test_there_are_recordings_of_every_kind() -> None:
    assert {"large", "lifecycle", "mix-1", "preemption", "spread", "volumes"} <= {
        p.name.split(".")[0] for p in RECORDINGS
    }
