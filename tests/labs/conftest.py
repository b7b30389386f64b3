"""The places in which every lab must pass: this process, and a server reached through a kubeconfig.

When MINIK8S_CONTEXT is set (tools/kind_labs.sh), the labs run on that cluster alone.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab_runs_here import HERE, PLACES, lab_runs


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running `minik8s up`; the environment that leads a notebook to it."""
    folder = tmp_path_factory.mktemp("up")
    config = folder / "kubeconfig"
    command = [sys.executable, "-m", "minik8s", "up", "--nodes=3", "--kubeconfig", str(config), "--use", "--seed=1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("minik8s ready"), line
    tools = str(Path(sys.executable).parent)
    yield {"MINIK8S_CONTEXT": "minik8s", "KUBECONFIG": str(config), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


@pytest.fixture(scope="session", params=PLACES)
def place(request):
    return request.param


@pytest.fixture(scope="session")
def ran(request, place, tmp_path_factory):
    """(name of a lab -> its runs, what they left behind), run twice in a row on a cluster that stays.

    One of xdist's workers runs them all, the others wait for what it writes down.
    """
    mine = [item for item in request.session.items if item.path.parent == HERE]
    calls = [getattr(item, "callspec", None) for item in mine]
    wanted = {call.params["path"].stem for call in calls if call and {"path", "place"} <= call.params.keys()}
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    result = folder / f"labs in {place}.json"
    with (folder / f"labs in {place}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            result.write_text(json.dumps(run_in(place, sorted(wanted))))
    runs, left = json.loads(result.read_text())
    return {name: [run for run in runs if run["lab"] == name] for name in wanted}, left


def run_in(place, names):
    often = [] if place == "embedded" else ["--twice"]
    at_once = 2 if place == "embedded" else 6
    return lab_runs("--place", "up" if place == "minik8s up" else place, "--at-once", at_once, *often, *names)
