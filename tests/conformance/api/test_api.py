"""Answers recorded from a Kubernetes 1.36 API server, replayed step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.runner.replay import replay

DIFFERENCES = {
    ("crud-controllerrevision-a", 4): (
        "Upstream compares a ControllerRevision's data by its bytes, and a patch re-encodes them without spaces; so a"
        " patch of metadata alone is refused for clients that wrote spaces. We compare values."
    ),
}
"""(scenario, step) -> why we deliberately answer otherwise."""

FOLDER = Path(__file__).parent
SCENARIOS = {
    scenario["name"]: scenario
    for file in sorted(FOLDER.glob("*.jsonl"))
    for scenario in map(json.loads, file.read_text("utf-8").splitlines())
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_answers_are_the_recorded_ones(name: str) -> None:
    failed = [found for found in replay(SCENARIOS[name]) if (name, found[0]) not in DIFFERENCES]
    assert not failed, _report(SCENARIOS[name], failed)


def _report(scenario: dict[str, Any], failed: list[Any]) -> str:
    lines = []
    for number, found in failed:
        step = scenario["steps"][number]
        lines.append(f"step {number}: {step.get('method') or step.get('op')} {step.get('path', '')}")
        lines += [f"  {path}: want {want!r:.200} got {got!r:.200}" for path, want, got in found[:5]]
    return "\n".join(lines)
