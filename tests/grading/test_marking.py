# ruff: noqa: E501
"""Free text is marked by a person on a local page; the marks go into results, and nobody else can reach the page."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from minik8s.grading import batch
from minik8s.grading.assignment import Assignment, shipped
from minik8s.grading.course import Course, write
from minik8s.grading.marking import Desk


def _task() -> Assignment:
    return next(a for a in shipped() if any(check.manual for check in a.checks))


@pytest.fixture
def graded(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    task = _task()
    monkeypatch.setattr(batch, "_in_processes", lambda *_: {})  # what programs judge is not looked at here
    for who in ("2026001", "2026002"):
        data = json.dumps({"answers": dict.fromkeys(task.answers, f"<b>{who}의 답</b>")}).encode()
        result = batch.judge(task, course.secret, who, data)
        write(course.root / "graded" / task.name / f"{who}.json", json.dumps(result))
    return course


@pytest.fixture(params=[False, True], ids=["named", "anonymous"])
def desk(graded: Course, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with Desk(graded, _task(), anonymous=request.param) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(desk: Desk, path: str = "/", body: object = None, token: str | None = None, **headers: str) -> tuple[int, str]:
    token = desk.token if token is None else token
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{desk.server_port}{path}" + ("" if data else f"?token={token}")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, {"x-token": token, **headers})) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_mark_is_in_the_results_at_once_and_can_be_changed(desk: Desk) -> None:
    task = _task()
    rows = json.loads(ask(desk, "/rows")[1])
    assert [row["got"] for row in rows] == [None, None]
    assert desk.anonymous == (not any("2026001" in (row["student"], row["name"]) for row in rows))
    row = next(r for r in rows if "2026001" in json.dumps(r["texts"]))
    for points in (1, row["points"]):
        mark = {"student": row["student"], "check": row["check"], "points": points, "comment": "좋다, \"까닭\"이 맞다"}
        assert ask(desk, body=mark)[0] == 200
        found = batch.results(desk.course, task)
        assert found["2026001"]["score"] == points and found["2026002"]["score"] == 0
    assert (desk.course.root / "manual" / f"{task.name}.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("wrong", [{"points": 1e9}, {"points": -1}, {"points": "nan"}, {"points": "x"}, {"student": "x"}, {"check": "y"}])
def test_a_mark_that_cannot_be_is_refused(desk: Desk, wrong: dict[str, object]) -> None:
    row = json.loads(ask(desk, "/rows")[1])[0]
    assert ask(desk, body={"student": row["student"], "check": row["check"], "points": 1, **wrong})[0] == 400
    assert not (desk.course.root / "manual").exists()


def test_nobody_without_the_token_or_from_another_site_gets_in(desk: Desk) -> None:
    assert desk.server_address[0] == "127.0.0.1"
    assert {ask(desk, path, token="guess")[0] for path in ("/", "/rows", "/x")} == {403}
    assert ask(desk, body={}, token="")[0] == 403
    assert ask(desk, "/rows", host="evil.example:80")[0] == 403
    status, page = ask(desk)
    assert status == 200 and "http" not in page.replace("http-equiv", "")
