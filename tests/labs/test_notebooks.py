"""Every lab runs from top to bottom, and every one of its checks passes, in each place; on a cluster that stays, twice.

The labs' pages in Chromium are looked at in tests/site/test_browser_labs.py.
"""

import re

import jupytext
import pytest
from lab_runs_here import GIVEN, LABS, NOTEBOOKS, ROOT, lab_runs
from nbclient import NotebookClient


def test_every_chapter_has_a_lab():
    chapters = {path.stem for path in (ROOT / "book").glob("[0-9][0-9]-*.md")}
    assert chapters <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.stem[0].isdigit()], ids=lambda p: p.stem)
def test_a_guided_lab_has_its_parts(path):
    text = path.read_text("utf-8")
    steps = re.split(r"^## \d단계", text, flags=re.M)[1:]
    assert 3 <= len(steps) <= 7
    assert all("check(" in step for step in steps), "단계마다 확인 셀이 있다"
    assert re.search(r"^:::\{hint\} .+\n:class: dropdown$", text, re.M)
    assert "먼저 예측해 보기" in text
    assert text.index("## 마음대로 해 보기") < text.index("## 치우기")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_lab_passes(path, ran):
    runs, _ = ran
    assert len(runs[path.stem]) >= 1
    for run in runs[path.stem]:
        assert run["why"] == "", run["text"]


def test_the_labs_leave_nothing_behind(ran):
    assert ran[1] == []


@pytest.mark.skipif(GIVEN is not None, reason="the embedded cluster stands for all")
def test_a_notebook_kernel_runs_a_lab(monkeypatch):
    """The other tests run IPython's shell without Jupyter around it."""
    monkeypatch.setenv("MINIK8S_CONTEXT", "embedded")
    notebook = jupytext.read(LABS / "notebooks" / "08-pod-life.md")
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(LABS)}}).execute()
    text = str([cell.get("outputs") for cell in notebook.cells])
    assert "[통과]" in text and "[아직]" not in text


INTERRUPTED = {
    "06-terms": ["--every-cell"],  # a second namespace
    "12-storage": ["--every-cell"],  # volumes
    "incident-08-lost-node": ["--cells", 1, "--cells", 7],  # a node that others use too
}
"""Labs with things outside their namespace; `tools/lab_runs.py --every-cell` does it with all of them."""


@pytest.mark.skipif(GIVEN is not None, reason="these want a server of their own")
@pytest.mark.parametrize("name", INTERRUPTED)
def test_killed_at_a_cell_and_started_again(name):
    runs, left = lab_runs("--at-once", 8, *INTERRUPTED[name], name)
    assert len(runs) >= 4
    assert [(run["cells"], run["after"], run["why"], run["text"]) for run in runs if run["why"]] == []
    assert left == []
