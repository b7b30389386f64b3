"""The places in which every lab must pass: this process, and a server reached through a kubeconfig.

When MINIK8S_CONTEXT is set (tools/kind_labs.sh), the labs run on that cluster alone.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

HERE = Path(__file__).parent
LABS = HERE.parents[1] / "labs"
NOTEBOOKS = sorted((LABS / "notebooks").glob("*.md"))
GIVEN = os.environ.get("MINIK8S_CONTEXT")
PLACES = [GIVEN] if GIVEN else ["embedded", "minik8s up"]
AT_ONCE = 3
"""Labs wait more than they work on a real clock, and each has a namespace of its own."""


def pytest_collection_modifyitems(items):
    """All labs of a place run in one worker, which runs each of them once for all tests."""
    for item in items:
        call = getattr(item, "callspec", None)
        if item.path.parent == HERE and call and "place" in call.params:
            item.add_marker(pytest.mark.xdist_group(f"labs in {call.params['place']}"))


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
    """The environment of one place."""
    if request.param == "embedded":
        return {"MINIK8S_CONTEXT": "embedded"}
    if request.param == "minik8s up":
        return request.getfixturevalue("server")
    return {"MINIK8S_CONTEXT": request.param}


@pytest.fixture(scope="session")
def printed(request, place):
    """What the labs that are to be tested print in this place, by name; an exception when a cell raised."""
    mine = [item for item in request.session.items if item.path.parent == HERE]
    calls = [getattr(item, "callspec", None) for item in mine]
    wanted = {call.params["path"] for call in calls if call and "path" in call.params}
    before = dict(os.environ)
    os.environ.update(place)
    try:
        return asyncio.run(_all(sorted(wanted)))
    finally:
        os.environ.clear()
        os.environ.update(before)



async def _all(paths):
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(path):
        async with turns:
            return await run(path)

    return dict(zip(paths, await asyncio.gather(*map(one, paths), return_exceptions=True), strict=True))


async def run(path, cells=None):
    """The text that a lab prints, run from the top to the end, or in its first `cells` code cells only."""
    notebook = jupytext.read(path)
    if cells is not None:
        code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        notebook.cells = notebook.cells[: code[cells - 1] + 1]
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(LABS)}})
    await client.async_execute()
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    return "".join(out.get("text", "") for out in outputs)
