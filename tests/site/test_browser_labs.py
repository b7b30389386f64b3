"""Every lab runs in its page from the first cell to the last, and every one of its checks passes there."""

from __future__ import annotations

import pytest
from site_pages import lab_pages

RESULTS = """
minik8sLive.cells.map((cell) => ({
  ran: cell.ran,
  failed: cell.box?.classList.contains("live-failed") ?? false,
  source: cell.source,
  text: cell.output?.textContent ?? "",
}))
"""


@pytest.mark.parametrize("name", lab_pages())
def test_the_lab_passes_in_its_page(tab, name):
    page = tab.open(name)
    tab.problems.clear()
    assert page.locator(".cell_output :is(pre, svg)").count() == 0, "독자가 돌리기 전에 결과가 보인다"
    assert tab.axe() == []
    page.evaluate("minik8sLive.runAll()")
    cells = page.evaluate(RESULTS)
    for cell in cells:
        assert cell["ran"] and not cell["failed"], f"{cell['source']}\n→ {cell['text']}"
    text = "".join(cell["text"] for cell in cells)
    assert "[통과]" in text
    assert "[아직]" not in text, text
    assert tab.problems == []
    assert tab.foreign == []


@pytest.mark.parametrize("name", [name for name in lab_pages() if "wrong-selector" in name])
def test_the_solution_does_not_run_by_itself(tab, name):
    """Who runs the check before repairing anything is told what is missing."""
    page = tab.open(name)
    page.evaluate("minik8sLive.runTo(minik8sLive.cells.find((cell) => cell.source.includes('incident.check()')))")
    cells = page.evaluate(RESULTS)
    assert "[아직]" in next(cell["text"] for cell in cells if "incident.check()" in cell["source"])
