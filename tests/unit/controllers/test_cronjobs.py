"""CronJobs over time: concurrency, deadlines, history."""

from __future__ import annotations

import itertools
from typing import Any

from conformance.stories.world import World
from minik8s.objects import Object


def cron_job(image: str, **spec: Any) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": image}]}
    template = {"spec": {"template": {"spec": pod}, "backoffLimit": 0}}
    meta = {"name": "tick", "namespace": "default"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta,
        "spec": {"schedule": "* * * * *", "jobTemplate": template, **spec},
    }


def jobs(world: World) -> list[Object]:
    return world.client.list("jobs.batch", "default")


def events(world: World) -> set[str]:
    return {e["reason"] for e in world.client.list("events", "default") if e["involvedObject"]["kind"] == "CronJob"}


def test_a_job_a_minute_and_three_kept() -> None:
    world = World()
    world.client.create("cronjobs.batch", cron_job("x:exit0"))
    world.advance(6 * 60)
    names = [job["metadata"]["name"] for job in jobs(world)]
    assert len(names) == 3
    assert all(int(b.rsplit("-", 1)[1]) - int(a.rsplit("-", 1)[1]) == 1 for a, b in itertools.pairwise(names))
    status = world.client.get("cronjobs.batch", "default", "tick")["status"]
    assert "active" not in status and status["lastSuccessfulTime"]


def test_forbid_waits_for_the_running_job() -> None:
    world = World()
    world.client.create("cronjobs.batch", cron_job("run", concurrencyPolicy="Forbid"))
    world.advance(5 * 60)
    assert len(jobs(world)) == 1
    assert "JobAlreadyActive" in events(world)


def test_replace_ends_the_running_job() -> None:
    world = World()
    world.client.create("cronjobs.batch", cron_job("run", concurrencyPolicy="Replace"))
    world.advance(3 * 60)
    assert len(jobs(world)) == 1
    assert "SuccessfulDelete" in events(world)
    world.advance(60)
    assert len([p for p in world.client.list("pods", "default") if "deletionTimestamp" not in p["metadata"]]) == 1


def test_allow_lets_them_pile_up() -> None:
    world = World()
    world.client.create("cronjobs.batch", cron_job("run"))
    world.advance(3 * 60)
    assert len(jobs(world)) == 3
    assert len(world.client.get("cronjobs.batch", "default", "tick")["status"]["active"]) == 3


def test_what_was_missed_while_suspended_is_made_up_for_once_or_not_at_all() -> None:
    for deadline, expected in ((None, 1), (5, 0)):
        world = World()
        world.advance(30)
        spec = {"schedule": "0 * * * *", "suspend": True}
        if deadline is not None:
            spec["startingDeadlineSeconds"] = deadline
        world.client.create("cronjobs.batch", cron_job("x:exit0", **spec))
        world.advance(3 * 3600)
        world.client.patch("cronjobs.batch", "default", "tick", {"spec": {"suspend": False}})
        world.advance(10)
        assert len(jobs(world)) == expected


def test_a_time_zone_moves_the_hour() -> None:
    world = World()  # starts at 2026-01-01T00:00Z = 09:00 in Seoul
    world.client.create("cronjobs.batch", cron_job("x:exit0", schedule="30 9 * * *", timeZone="Asia/Seoul"))
    world.advance(20 * 60)
    assert jobs(world) == []
    world.advance(15 * 60)
    assert len(jobs(world)) == 1


def test_a_new_schedule_starts_with_its_next_time() -> None:
    """updateCronJob: what the new schedule would have missed is not made up for."""
    world = World()
    world.client.create("cronjobs.batch", cron_job("x:exit0", schedule="0 0 1 1 *"))
    world.advance(90)
    world.client.patch("cronjobs.batch", "default", "tick", {"spec": {"schedule": "* * * * *"}})
    world.advance(1)
    assert jobs(world) == []
    world.advance(60)
    assert len(jobs(world)) == 1
