"""What helps a reader: Korean search, quizzes with feedback, definitions on hover, a record to take along."""

from __future__ import annotations

import json

import pytest
from site_pages import pages

DESKTOP = {"width": 1280, "height": 900}


def page_with(site, mark):
    found = [name for name in pages() if mark in (site / name).read_text(encoding="utf-8")]
    if not found:
        pytest.skip(f"{mark}가 있는 쪽이 없다")
    return found[0]


def results(page, query):
    page.locator(".search-open:visible").first.click()
    box = page.locator("#search-dialog input")
    box.fill(query)
    page.locator("#search-dialog .search-results li").first.wait_for()
    text = page.locator("#search-dialog .search-results").inner_text()
    page.keyboard.press("Escape")
    return text


@pytest.mark.parametrize(
    ("query", "hit"), [("배치", "배치"), ("포드", "파드"), ("컨테이너를", "컨테이너"), ("pod", "파드")]
)
def test_korean_search(visit, site, query, hit):
    watched = visit(viewport=DESKTOP)
    page = watched.open(pages()[0])
    assert hit in results(page, query)
    assert watched.problems == []
    assert watched.foreign == []


def test_search_by_keyboard_and_page(visit, site):
    watched = visit(viewport=DESKTOP)
    page = watched.open(pages()[0])
    page.keyboard.press("Control+k")
    assert page.locator("#search-dialog").evaluate("(dialog) => dialog.open")
    page = watched.open("search.html?q=포드")
    page.locator(".search-page .search-results li").first.wait_for()


def test_quiz_gives_feedback_and_keeps_progress(visit, site):
    watched = visit(viewport=DESKTOP)
    page = watched.open(page_with(site, 'data-quiz-type="choice"'))
    quiz = page.locator('.quiz[data-quiz-type="choice"]').first
    right = [int(number) for number in quiz.get_attribute("data-quiz-right").split()]
    options = quiz.locator(".quiz-options > li")
    wrong = next(number for number in range(options.count()) if number not in right)
    options.nth(wrong).locator("input").check()
    quiz.get_by_role("button", name="확인").click()
    assert options.nth(wrong).locator(".quiz-note").inner_text().strip()
    options.nth(wrong).locator("input").evaluate("(input) => { input.checked = false; }")
    for number in right:
        options.nth(number).locator("input").check()
    quiz.get_by_role("button", name="확인").click()
    assert quiz.locator(".quiz-verdict").inner_text() == "맞다"
    page.reload()
    assert page.locator(".quiz").first.page.locator(".quiz-verdict", has_text="전에 맞혔다").count() == 1
    page.locator(".progress-open").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="내보내기").click()
    with open(download.value.path(), encoding="utf-8") as file:
        assert any(key.startswith("minik8s.quiz:") for key in json.load(file))
    assert watched.problems == []


def test_order_quiz_by_keyboard(visit, site):
    watched = visit(viewport=DESKTOP)
    page = watched.open(page_with(site, 'data-quiz-type="order"'))
    quiz = page.locator('.quiz[data-quiz-type="order"]').first
    right = [int(number) for number in quiz.get_attribute("data-quiz-right").split()]
    texts = quiz.locator(".quiz-item").all_inner_texts()
    wanted = [texts[index] for index in right]
    for place, text in enumerate(wanted):
        while quiz.locator(".quiz-item").all_inner_texts().index(text) > place:
            row = quiz.locator(".quiz-options > li", has=page.locator(".quiz-item", has_text=text)).first
            row.locator("button").first.press("Enter")
    quiz.get_by_role("button", name="확인").click()
    assert quiz.locator(".quiz-verdict").inner_text() == "순서가 맞다"


def test_definition_shows_on_hover_and_focus(visit, site):
    watched = visit(viewport=DESKTOP)
    page = watched.open(page_with(site, "glossary.html#term-"))
    link = page.locator('.bd-article a.internal[href*="#term-"]:visible').first
    link.hover()
    page.locator(".term-tip").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".term-tip").count() == 0
    page.mouse.move(0, 0)
    link.focus()
    page.locator(".term-tip").wait_for()
    assert link.get_attribute("aria-describedby") == "term-tip"


def test_a_visited_page_opens_offline_and_is_isolated(browser, address, site):
    context = browser.new_context(locale="ko-KR", service_workers="allow")
    try:
        page = context.new_page()
        page.add_init_script("localStorage.setItem('minik8s.offline', 'true')")
        page.goto(address + pages()[0])
        page.evaluate("navigator.serviceWorker.ready")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        page.reload()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("crossOriginIsolated")
        context.set_offline(True)
        page.reload()
        assert page.locator("h1:visible").count() == 1
    finally:
        context.close()
