"""The built site, served as `run.py` serves it, and a real Chromium with a fresh profile."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from site_pages import ROOT, SITE

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").exists():
        pytest.skip("지은 책이 없다: 먼저 `python3 run.py book`")
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    import site_serve

    server = site_serve.make(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = os.environ.get("MINIK8S_CHROME") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not program:
        pytest.skip("크로미움이 없다")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


# The scripts come after the first paint, when the machine has a moment: "no request for a while" may be before them.
READY = """() => {
  const wanted = document.querySelector("script[data-loader]")?.textContent ?? "";
  return (!wanted.includes("book.js") || document.documentElement.dataset.site === "ready")
    && (!wanted.includes("live.js") || globalThis.minik8sLive !== undefined);
}"""


class Watched:
    """A page that remembers what went wrong in it."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.scripts = options.get("java_script_enabled", True)
        self.context = browser.new_context(locale="ko-KR", service_workers="block", **options)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "response", lambda answer: answer.status >= 400 and self.problems.append(f"{answer.status} {answer.url}")
        )
        self.page.on("request", self.note)

    def note(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, name: str) -> Any:
        self.page.goto(self.address + name)
        if self.scripts:
            self.page.wait_for_function(READY)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def axe(self) -> list[str]:
        self.page.add_script_tag(path=str(AXE))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary'][:160]}"
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    opened: list[Watched] = []

    def make(**options: Any) -> Watched:
        opened.append(Watched(browser, address, **options))
        return opened[-1]

    yield make
    for watched in opened:
        watched.context.close()


@pytest.fixture(scope="module")
def tab(browser: Any, address: str) -> Iterator[Watched]:
    """One tab for many pages: after the first, Python comes from the browser's cache."""
    watched = Watched(browser, address, viewport={"width": 1280, "height": 900})
    watched.page.set_default_timeout(120_000)
    yield watched
    watched.context.close()
