"""`minik8s schedule FILE [--explain]`: cases in, decisions out, as one line of JSON."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from minik8s.edge.cli import main

CASE: dict[str, Any] = {
    "name": "two-nodes",
    "nodes": [
        {"metadata": {"name": "small"}, "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "110"}}},
        {"metadata": {"name": "big"}, "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}}},
    ],
    "incoming": [
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]},
        }
    ],
}


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([CASE]))
    return path


def answers(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["schedule", *words]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["schedule", *words]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_says_where_each_pod_goes_and_why_not_elsewhere(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = answers(capsys, str(case))
    assert found["name"] == "two-nodes"
    (decision,) = found["expect"]
    assert (decision["pod"], decision["node"], decision["feasible"]) == ("default/web", "big", ["big"])
    assert decision["filtered"]["small"]["reasons"] == ["Insufficient cpu"]


def test_explain_adds_korean_sentences(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = answers(capsys, str(case), "--explain")
    assert set(found) == {"name", "expect", "explain"}
    assert "big에 배치하기로 했다" in found["explain"][0]


def test_takes_compressed_files_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "cases.json.gz"
    packed.write_bytes(gzip.compress(json.dumps([CASE]).encode()))
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(CASE).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert answers(capsys, str(packed)) == answers(capsys, "-")


def test_a_configuration_changes_the_decision(tmp_path: Path, case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("profiles:\n- plugins:\n    multiPoint:\n      disabled: [{name: NodeResourcesFit}]\n")
    (found,) = answers(capsys, str(case), "--config", str(config))
    assert found["expect"][0]["feasible"] == ["big", "small"]


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert "파일을 읽을 수 없다: none.json" in complaint(capsys, "none.json")


def test_not_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_text("[{")
    assert "JSON이 아니다" in complaint(capsys, str(path))
    path.write_text("[1, 2]")
    assert "JSON 배열이어야 한다" in complaint(capsys, str(path))


def test_a_case_that_lacks_something_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([CASE, {"name": "second", "nodes": []}]))
    assert "사례 second에 'incoming' 항목이 없다" in complaint(capsys, str(path))


def test_a_wrong_configuration_is_told_apart(tmp_path: Path, case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("profiles:\n- plugins:\n    score:\n      enabled: [{name: Nonsense}]\n")
    message = complaint(capsys, str(case), "--config", str(config))
    assert "스케줄러 설정이 틀렸다" in message
    assert "Nonsense" in message
