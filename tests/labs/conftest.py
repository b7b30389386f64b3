"""The places in which every lab must pass: this process, and a server reached through a kubeconfig."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running `minik8s up`; the environment that leads a notebook to it."""
    folder = tmp_path_factory.mktemp("up")
    config = folder / "kubeconfig"
    command = [sys.executable, "-m", "minik8s", "up", "--nodes", "3", "--kubeconfig", str(config), "--use", "--seed", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("minik8s ready"), line
    tools = str(Path(sys.executable).parent)
    yield {"MINIK8S_CONTEXT": "minik8s", "KUBECONFIG": str(config), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


@pytest.fixture(params=["embedded", "minik8s up"])
def place(request):
    """The environment of one place."""
    if request.param == "embedded":
        return {}
    return request.getfixturevalue("server")
