"""The cells of every page run in the page and show what the built page shows."""

from __future__ import annotations

import pytest
from site_pages import live_pages

LONGEST = 120_000
# What the reader sees of an output: its kind and text, or its markup after the same sanitising.
READ = """
async (html) => {
  const box = document.createElement("div");
  box.innerHTML = html;
  for (const element of box.querySelectorAll("[tabindex]")) element.removeAttribute("tabindex"); // the theme adds them
  const seen = [];
  for (const output of box.querySelectorAll(".output, img")) {
    if (output.classList.contains("widget")) continue; // drawn by the page; what it shows is looked at below
    const kinds = ["stream", "stderr", "text_plain", "traceback", "text_html", "image_svg"];
    const kind = kinds.find((name) => output.classList.contains(name)) ?? "image";
    const rich = kind === "text_html" || kind === "image_svg";
    const text = output.textContent.replace(/\\n+$/, "");
    seen.push([kind, rich ? await minik8sLive.sanitise(output.innerHTML) : text]);
  }
  return seen;
}
"""


def outputs(page, index, which):
    html = page.evaluate(f"minik8sLive.cells[{index}].{which}")
    return page.evaluate(READ, html)


@pytest.mark.parametrize("name", live_pages())
def test_live_output_equals_built_output(visit, name):
    watched = visit(viewport={"width": 1280, "height": 900})
    page = watched.open(name)
    page.set_default_timeout(LONGEST)
    page.evaluate("minik8sLive.runAll()")
    cells = page.evaluate(
        "minik8sLive.cells.map(({live, hidden, ran, tags, source}) => ({live, hidden, ran, tags, source}))"
    )
    for index, cell in enumerate(cells):
        if not cell["live"]:
            continue
        assert cell["ran"], f"셀 {index}이 돌지 않았다:\n{cell['source']}"
        if not cell["hidden"] and "remove-output" not in cell["tags"]:
            live, built = outputs(page, index, "output.innerHTML"), outputs(page, index, "builtOutput")
            assert live == built, f"셀 {index}:\n{cell['source']}"
    assert watched.problems == []
    assert watched.foreign == []


def first_live(visit):
    names = live_pages()
    if not names:
        pytest.skip("도는 셀이 있는 쪽이 없다")
    watched = visit(viewport={"width": 1280, "height": 900})
    page = watched.open(names[0])
    page.set_default_timeout(LONGEST)
    return watched, page


def cell_with_code(page):
    return page.locator(".cell:has(.live-run)").first


def write(page, cell, text):
    cell.locator(".live-edit").click()
    editor = cell.locator(".cm-content")
    editor.wait_for()
    editor.press("Control+a")
    page.keyboard.insert_text(text)


def test_edit_run_keep_and_undo(visit):
    watched, page = first_live(visit)
    cell = cell_with_code(page)
    write(page, cell, "6 * 7")
    page.keyboard.press("Shift+Enter")
    cell.locator(".cell_output", has_text="42").wait_for()
    page.reload()
    cell = cell_with_code(page)
    cell.locator(".cm-content").wait_for()
    assert cell.locator(".cm-content").inner_text().strip() == "6 * 7"
    cell.locator(".live-undo").click()
    assert cell.locator(".cm-content").inner_text().strip() != "6 * 7"
    assert watched.problems == []


def test_a_running_cell_can_be_interrupted(visit):
    watched, page = first_live(visit)
    assert page.evaluate("crossOriginIsolated")
    cell = cell_with_code(page)
    write(page, cell, "print('시작', flush=True)\nwhile True:\n    pass")
    page.keyboard.press("Shift+Enter")
    cell.locator(".cell_output", has_text="시작").wait_for()
    cell.locator(".live-run").click()
    cell.locator(".traceback", has_text="KeyboardInterrupt").wait_for()
    write(page, cell, "'살아 있다'")
    page.keyboard.press("Shift+Enter")
    cell.locator(".cell_output", has_text="살아 있다").wait_for()
    assert watched.problems == []


def test_output_cannot_run_script(visit):
    _, page = first_live(visit)
    cell = cell_with_code(page)
    html = '<p>글</p><img src=x:y onerror="window.stolen=1"><script>window.stolen=1</script>'
    code = f"from IPython.display import HTML\nHTML({html!r})"
    write(page, cell, code)
    page.keyboard.press("Shift+Enter")
    cell.locator(".text_html", has_text="글").wait_for()
    assert page.evaluate("window.stolen") is None
    assert cell.locator("script").count() == 0


def test_run_button_is_reached_and_pressed_by_keyboard(visit):
    _, page = first_live(visit)
    button = cell_with_code(page).locator(".live-run")
    for _ in range(200):
        page.keyboard.press("Tab")
        if button.evaluate("(button) => button === document.activeElement"):
            break
    else:
        pytest.fail("Tab으로 실행 단추에 닿지 않는다")
    page.keyboard.press("Enter")
    page.locator(".live-ran").first.wait_for()


def test_export_keeps_the_edit(visit):
    _, page = first_live(visit)
    cell = cell_with_code(page)
    write(page, cell, "'내가 고쳤다'")
    with page.expect_download() as download:
        page.locator('[data-live="notebook"]').click()
    with open(download.value.path(), encoding="utf-8") as file:
        assert "내가 고쳤다" in file.read()


def test_a_slider_calls_python(visit):
    watched, page = first_live(visit)
    cell = cell_with_code(page)
    write(
        page,
        cell,
        "from ipywidgets import interact\n@interact(수=(1, 10))\ndef 제곱(수=3):\n    print('제곱은', 수 * 수)",
    )
    page.keyboard.press("Shift+Enter")
    cell.locator(".widget-output", has_text="제곱은 9").wait_for()
    cell.get_by_label("수").focus()
    page.keyboard.press("ArrowRight")
    cell.locator(".widget-output", has_text="제곱은 16").wait_for()
    assert watched.axe() == []
    assert watched.problems == []


def test_a_slow_start_says_what_it_does(visit):
    _, page = first_live(visit)
    cell = cell_with_code(page)
    cell.locator(".live-run").click()
    cell.locator(".live-state", has_text="파이썬").wait_for()
    page.locator(".live-ran").first.wait_for()
