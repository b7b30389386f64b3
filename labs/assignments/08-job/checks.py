"""잡: 다 하고, 폭을 지키고, 그만둘 줄 알고, 치우는가."""

from typing import Any

from minik8s.grading import Case, Stage


def _start(case: Case, command: str = "") -> Stage:
    """The job on a cluster; with another command, as a day on which things go wrong."""
    stage, job = case.stage(), case.one("job", "Job", case.v.job)
    if command:
        job["spec"]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", command]
        job["spec"].pop("ttlSecondsAfterFinished", None)
    stage.put([job], settle=0)
    return stage


def _job(case: Case, stage: Stage) -> dict[str, Any]:
    found = stage.find("jobs.batch", case.v.job)
    case.need(found, "잡이 없다.")
    assert found is not None
    return found


def _failed(case: Case, stage: Stage) -> str:
    conditions = _job(case, stage)["status"].get("conditions") or ()
    return next((c.get("reason", "") for c in conditions if c["type"] == "Failed" and c["status"] == "True"), "")


def completes(case: Case) -> None:
    stage = _start(case)
    stage.until(lambda: (_job(case, stage)["status"].get("succeeded") or 0) >= case.v.total, 59)
    done = _job(case, stage)["status"].get("succeeded") or 0
    case.need(done == case.v.total, f"{done}번 성공했다. {case.v.total}번이어야 한다.")


def width(case: Case) -> None:
    stage, most = _start(case), 0
    for _ in range(40):
        stage.advance(1)
        running = [p for p in stage.pods(**{"job-name": case.v.job}) if p["status"]["phase"] in ("Pending", "Running")]
        most = max(most, len(running))
    case.need(most == case.v.wide, f"한꺼번에 {most}개까지 돌았다. {case.v.wide}개여야 한다.")


def gives_up(case: Case) -> None:
    stage = _start(case, "exit 1")
    stage.advance(290)
    failed = _job(case, stage)["status"].get("failed") or 0
    case.need(_failed(case, stage) == "BackoffLimitExceeded", "실패가 거듭되는데도 그만두지 않았다.")
    case.need(failed <= case.v.limit + case.v.total, f"{failed}번이나 실패한 뒤에 그만두었다.")


def hurries(case: Case) -> None:
    stage = _start(case, "sleep 10000")
    stage.advance(345)
    case.need(_failed(case, stage) == "DeadlineExceeded", "5분이 지났는데도 그만두지 않았다.")


def tidies(case: Case) -> None:
    stage = _start(case)
    stage.until(lambda: (_job(case, stage)["status"].get("succeeded") or 0) >= case.v.total, 200)
    stage.advance(case.v.ttl - 20)
    _job(case, stage)
    stage.advance(40)
    case.need(stage.find("jobs.batch", case.v.job) is None, "끝난 잡이 제때 지워지지 않았다.")
