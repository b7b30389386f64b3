"""Every page in Chromium: silent, self-sufficient, accessible in both themes, and no wider than a phone."""

from __future__ import annotations

import pytest
from site_pages import pages

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
every_page = pytest.mark.parametrize("name", [*pages(), "search.html"])


@every_page
def test_page_is_silent_and_accessible(visit, name):
    watched = visit(viewport=DESKTOP, color_scheme="light")
    watched.open(name)
    assert watched.problems == []
    assert watched.foreign == []
    assert watched.axe() == []


@every_page
def test_dark_phone_page_fits_and_is_accessible(visit, name):
    watched = visit(viewport=PHONE, color_scheme="dark", is_mobile=True, has_touch=True)
    page = watched.open(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert watched.axe() == []
    assert watched.problems == []


@every_page
def test_page_reads_without_javascript(visit, name):
    watched = visit(viewport=DESKTOP, java_script_enabled=False)
    page = watched.open(name)
    assert page.locator("h1:visible").count() >= 1
    assert page.locator("button:visible").count() == 0  # no button that could do nothing
