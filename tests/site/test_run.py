"""run.py: what goes wrong is said in one Korean line, without a traceback, with a non-zero exit."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys

import pytest
from site_pages import ROOT


@pytest.fixture
def run(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("run_py", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def test_help_needs_nothing_installed():
    done = subprocess.run([sys.executable, "-S", ROOT / "run.py", "--help"], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0
    assert "python3 run.py test" in done.stdout


def test_old_python_is_told_so(tmp_path):
    text = (
        (ROOT / "run.py").read_text(encoding="utf-8").replace("sys.version_info < (3, 11)", "sys.version_info < (9, 9)")
    )
    (tmp_path / "run.py").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "run.py"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "파이썬 3.11 이상" in done.stderr
    assert "Traceback" not in done.stderr


def test_taken_port(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(run.Stop, match="--port"):
            run.free(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("OSError: [Errno 28] No space left on device", "디스크가 가득 찼다"),
        ("NewConnectionError('refused')", "네트워크"),
        ("npm ERR! code ENOTFOUND", "네트워크"),
    ],
)
def test_failed_step_names_cause_and_log(run, capfd, output, hint):
    with pytest.raises(run.Stop, match=hint) as stopped:
        run.run("시험", [sys.executable, "-c", f"print({output!r}); raise SystemExit(1)"])
    assert "logs/시험.log" in str(stopped.value)


def test_missing_venv_module(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    monkeypatch.setattr(run, "VENV", run.ROOT / ".venv")
    monkeypatch.setattr(run, "BIN", run.ROOT / ".venv" / "bin")
    for name in ("requirements.txt", "pyproject.toml"):
        (run.ROOT / name).write_text("", encoding="utf-8")
    with pytest.raises(run.Stop, match="venv"):
        run.prepare_python()


def test_stamp_knows_a_change(run):
    file = run.ROOT / "a.txt"
    file.write_text("1", encoding="utf-8")
    first = run.digest(file)
    assert run.digest(file) == first
    file.write_text("2", encoding="utf-8")
    assert run.digest(file) != first
