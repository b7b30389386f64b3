"""Recorded requests, damaged at random places: the answer is a Status with the right kind of code, never a failure.

Upstream itself answers 500 for some patches (an item without its merge key, a field that is not in the schema); such
answers carry no reason. A 500 with a reason would be an internal error.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.runner.plane import Plane

JUNK: list[Any] = [
    None, 0, -1, 1.5, True, "", "x", "A B", "1Gi", "-5", "é", [], {}, [None], {"a": None}, ["x"], [{}], {"name": "x"},
    10**20, "2026-01-01T00:00:00Z", "99999999999", [[]], {"x": {"y": [1]}},
]  # fmt: skip
PATCHES = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
Path_ = tuple[Any, ...]


def bodies() -> list[tuple[str, Any]]:
    """(path, body) of every recorded create, in the namespace `default`."""
    found = []
    for file in sorted(Path(__file__).parent.glob("*.jsonl")):
        for scenario in map(json.loads, file.read_text("utf-8").splitlines()):
            space = scenario.get("namespace") or "\0"
            for step in scenario["steps"]:
                if step.get("method") == "POST" and isinstance(step.get("body"), dict):
                    text = json.dumps([step["path"], step["body"]]).replace(space, "default")
                    if "${" not in text:
                        found.append(tuple(json.loads(text)))
    return found


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from places(item, (*path, key))


def damaged(body: Any, rng: random.Random) -> Any:
    out = copy.deepcopy(body)
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = [place for place in places(out) if place[-1] not in ("apiVersion", "kind")]
        if not found:
            return out
        *way, last = rng.choice(found)
        node = out
        for key in way:
            node = node[key]
        what = rng.random()
        if what < 0.6:
            node[last] = copy.deepcopy(rng.choice(JUNK))
        elif what < 0.8:
            del node[last]
        elif isinstance(node, dict):
            node[f"{last}X"] = node[last]
        else:
            node.append(copy.deepcopy(node[last]))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_makes_the_server_fail(seed: int) -> None:
    rng, plane, samples = random.Random(seed), Plane(), bodies()
    for _ in range(400):
        path, body = rng.choice(samples)
        answers = [plane.call("POST", path, body=damaged(body, rng))]
        name = (body.get("metadata") or {}).get("name")
        if name and path.count("/") < 8:
            plane.call("POST", path, body=body)
            media = rng.choice(PATCHES)
            query = {"fieldManager": "m"} if "apply" in media else None
            target = f"{path}/{name}{rng.choice(('', '', '/status'))}"
            change = damaged(body, rng)
            answers.append(plane.call("PATCH", target, query=query, headers={"Content-Type": media}, body=change))
            answers.append(plane.call("PUT", target, body=change))
        for status, _, answer in answers:
            assert status < 500 or not answer.get("reason"), (path, body, answer)
