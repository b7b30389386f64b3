"""Every guided lab runs from top to bottom, and every one of its checks passes, in each place."""

import asyncio
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

LABS = Path(__file__).parents[2] / "labs"
NOTEBOOKS = sorted((LABS / "notebooks").glob("*.md"))


def run(path: Path, env: dict[str, str], monkeypatch) -> str:
    """The text that a lab prints."""
    monkeypatch.delenv("MINIK8S_CONTEXT", raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    notebook = jupytext.read(path)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": LABS}})
    asyncio.run(client.async_execute())
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    return "".join(out.get("text", "") for out in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_lab_passes(path, place, monkeypatch):
    printed = run(path, place, monkeypatch)
    assert "[통과]" in printed
    assert "[아직]" not in printed, printed
