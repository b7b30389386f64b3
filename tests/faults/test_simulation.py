"""Random manifests under random faults: a modest number of seeds each time, thousands by `simulate.py --count`."""

import pytest

from faults.scenario import Scenario, scenario
from faults.simulate import Run, command, examine, shrink
from minik8s.store import Store

SEEDS = [*range(24), 1217, 2068]
"""The first two dozen, and seeds that once found a bug: a pod status trusted after a lost answer, a lost event that
stopped a Job for good."""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cluster_keeps_its_invariants_and_recovers(seed: int) -> None:
    assert examine(seed) == ""


def test_the_same_seed_gives_the_same_history() -> None:
    def history(seed: int) -> list[tuple[object, ...]]:
        run = Run(scenario(seed))
        run.play()
        return [tuple(r) for r in run.cluster.trace.records]

    assert history(3) == history(3)


def test_a_failing_scenario_shrinks_to_the_steps_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    # A store that loses the deletion of pods stands for a bug; only the step that deletes one shows it.
    def forgetful(self: Store, event: object, _apply: object = Store._apply) -> None:
        if event.type == "DELETED" and event.key.resource == "pods":  # type: ignore[attr-defined]
            event = event._replace(type="MODIFIED")  # type: ignore[attr-defined]
        _apply(self, event)  # type: ignore[operator]

    monkeypatch.setattr(Store, "_apply", forgetful)
    story = Scenario(1, 2, (
        {"at": 0.0, "do": "create", "kind": "Deployment", "name": "a", "replicas": 1, "image": "nginx:1.27",
         "cpu": "50m", "probe": False},
        {"at": 20.0, "do": "scale", "kind": "Deployment", "name": "a", "replicas": 2},
        {"at": 30.0, "do": "delete_pod", "kind": "Deployment", "name": "a", "index": 0},
    ))  # fmt: skip
    assert shrink(story) == [0, 2]


def test_the_printed_command_names_seed_and_steps() -> None:
    assert command(7, [0, 2]) == "python tests/faults/simulate.py --seed 7 --keep 0,2"
