"""The interactive views, drawn by a cell of a page: silent, accessible and no wider than the screen, in both themes."""

from __future__ import annotations

import pytest
from site_pages import live_pages

LONGEST = 120_000
START = """\
from minik8s import lab
k = lab.connect(nodes=3)
%kubectl create deployment web --image=nginx:1.27 --replicas=3
k.sleep(30)
%kubectl set image deployment/web nginx=nginx:1.28
%kubectl expose deployment web --port=80
%kubectl create deployment big --image=nginx:1.27
%kubectl set resources deployment big --requests=cpu=64
k.sleep(30)
big = "pod/" + k.pods("app=big")[0]["metadata"]["name"]"""
VIEWS = {
    "map": "k.map()",
    "packing": "k.packing()",
    "timeline": "k.timeline('app=web')",
    "rollout": "k.rollout('deployment/web')",
    "journey": "k.journey('deployment/web')",
    "traffic": "k.traffic('web', rate=20, duration=5)",
    "decision": "k.explain(big)",
    "why": "k.why(f'{big} is Pending')",
    "scrubber": "k.scrub('app=web')",
    "dashboard": "k.dashboard('deployment/web')",
}
SCREENS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


def run(page, code: str):
    """The first cell of the page after the code has been written into it and run."""
    cell = page.locator(".cell:has(.live-run)").first
    cell.locator(".live-edit").click()
    editor = cell.locator(".cm-content")
    editor.wait_for()
    editor.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("minik8sLive.cells.every((cell) => !cell.box?.classList.contains('live-busy'))")
    assert "live-failed" not in cell.get_attribute("class"), cell.locator(".cell_output").inner_text()
    return cell


@pytest.fixture
def page_of(visit):
    def open(**options):
        watched = visit(**options)
        page = watched.open(live_pages()[0])
        page.set_default_timeout(LONGEST)
        return watched, page

    return open


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_views_fit_and_are_accessible(page_of, width, scheme):
    watched, page = page_of(viewport={"width": width, "height": 900}, color_scheme=scheme)
    run(page, START)
    for name, code in VIEWS.items():
        cell = run(page, code)
        drawn = cell.locator(".cell_output svg, .cell_output table, .cell_output pre")
        drawn.first.wait_for()
        assert watched.axe() == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert watched.problems == []
    assert watched.foreign == []


def test_the_scrubber_and_the_dashboard_are_used_by_keyboard(page_of):
    watched, page = page_of(viewport={"width": 1280, "height": 900})
    run(page, START)
    cell = run(page, VIEWS["scrubber"])
    slider = cell.locator("input[type=range]").first
    slider.focus()
    shown = cell.locator(".cell_output").inner_html()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "([cell, before]) => cell.innerHTML !== before", arg=[cell.locator(".cell_output").element_handle(), shown]
    )
    cell = run(page, VIEWS["dashboard"])
    clock = cell.get_by_text("실습을 시작한 지")
    before = clock.inner_text()
    cell.get_by_role("button", name="+").first.press("Enter")
    page.wait_for_function("([clock, before]) => clock.innerText !== before", arg=[clock.element_handle(), before])
    cell.get_by_label("글로 보기").press("Space")
    cell.locator(".cell_output :is(pre, p)", has_text="노드").first.wait_for()
    assert watched.problems == []


def test_names_are_completed_in_a_cell(page_of):
    watched, page = page_of(viewport={"width": 1280, "height": 900})
    cell = run(page, START)
    editor = cell.locator(".cm-content")
    for typed, offered in (
        ("k.expl", "explain"),
        ("%kubectl get deploy", "deployments"),
        ("%kubectl describe pod we", "web-"),
    ):
        editor.click()
        editor.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Control+Space")
        page.locator(".cm-tooltip-autocomplete li", has_text=offered).first.wait_for()
        page.keyboard.press("Escape")
    assert watched.problems == []
