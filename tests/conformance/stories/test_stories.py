"""What the controllers of a Kubernetes 1.36 control plane made of a situation, played again in virtual time.

`stories.jsonl` holds one recorded story a line: what is done (`steps`), and what was seen when nothing changed any
more (`expect`). Values that differ from run to run are placeholders on both sides.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.stories.runner import Story, compare
from conformance.stories.world import World

STORIES = [json.loads(line) for line in Path(__file__).with_name("stories.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_story_ends_as_recorded(story: dict[str, object]) -> None:
    seen = Story(World(), story).play()
    different = [point for point in compare(story["expect"], seen) if point]  # type: ignore[arg-type]
    assert different == []


def test_same_seed_same_history() -> None:
    story = next(s for s in STORIES if s["name"] == "deploy-rolling-percent-a")

    def history() -> list[object]:
        world = World(seed=7)
        Story(world, story).play()
        return [tuple(record) for record in world.trace.records]

    assert history() == history()
