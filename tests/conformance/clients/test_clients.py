"""Clients that know nothing of us: the official one (two majors) and kr8s, in-process and over HTTPS.

`run.py test` puts the older official client into a folder and names it in MINIK8S_KUBERNETES_36.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OLDER = os.environ.get("MINIK8S_KUBERNETES_36", "")

absent = pytest.mark.skipif(not OLDER, reason="the older official client is not installed; run.py test does that")
MAJORS = pytest.mark.parametrize(
    "first", [pytest.param("", id="current"), pytest.param(OLDER, id="before", marks=absent)]
)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("up")
    path = folder / "config"
    command = [sys.executable, "-m", "minik8s", "up", "--kubeconfig", str(path), "--use"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None and process.stdout.readline().startswith("minik8s ready")
    yield str(path)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


def run(script: str, where: str, first: str = "") -> str:
    path = os.pathsep.join(filter(None, [first, os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, str(HERE / script), where],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@MAJORS
def test_the_official_client_in_process(first):
    assert run("official.py", "in-process", first).startswith("ok 36" if first else "ok 37")


@MAJORS
def test_the_official_client_over_https(first, kubeconfig):
    assert run("official.py", kubeconfig, first).startswith("ok 36" if first else "ok 37")


def test_kr8s_over_https(kubeconfig):
    assert run("kr8s_smoke.py", kubeconfig) == "ok"
