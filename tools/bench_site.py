"""How fast the site is: first output of a cell (cold and warm), what it downloads, and Lighthouse's marks (mobile).

python tools/bench_site.py [페이지 ...]       without arguments every page; Lighthouse comes into _build/lighthouse
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import site_serve

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
TOOL = ROOT / "_build" / "lighthouse"
LIGHTHOUSE = "lighthouse@12.8.2"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FIRST = ("book/05-architecture.html", "book/15-scheduler.html", "labs/notebooks/05-architecture.html")
TIMES = 3
"""A page is measured so often, and the middle value counts: a busy machine makes single runs jump by five marks."""
SHOWN = ("first-contentful-paint", "total-blocking-time", "cumulative-layout-shift")


class Counting(site_serve.Handler):
    """Adds up what is sent, as sent (compressed)."""

    sent = 0

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length":
            Counting.sent += int(value)
        super().send_header(keyword, value)


@contextmanager
def served() -> Iterator[str]:
    server = site_serve.make(HTML, 0)
    server.RequestHandlerClass = lambda *args: Counting(*args, directory=str(HTML))  # type: ignore[assignment]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def first_output(program: str, address: str, page: str) -> None:
    """From opening the page to the first cell's output, the button pressed as soon as it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, tempfile.TemporaryDirectory() as profile:
        context = driver.chromium.launch_persistent_context(profile, executable_path=program, args=FLAGS)
        for name in ("차가울 때", "데워진 뒤"):
            tab, before, start = context.new_page(), Counting.sent, time.monotonic()
            tab.goto(f"{address}{page}", wait_until="commit")
            tab.locator(".live-ready .live-run:visible").first.click()
            clicked = time.monotonic()
            tab.locator(".live-ran").first.wait_for(timeout=60_000)
            now = time.monotonic()
            size = (Counting.sent - before) / 1e6
            since = f"열고 {now - start:.2f}초, 누르고 {now - clicked:.2f}초"
            print(f"{page}: 첫 출력, {name} {since}, 받은 양 {size:.1f} MB")
            tab.close()
        context.close()


def lighthouse(program: str, address: str, page: str) -> dict[str, Any]:
    """{category: mark, metric: text} of the run in the middle by performance; {} where Lighthouse gave no answer."""
    runs = []
    while len(runs) < TIMES:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            command = [
                TOOL / "node_modules" / ".bin" / "lighthouse", f"{address}{page}", "--quiet", "--output=json",
                f"--output-path={report}", f"--chrome-flags=--headless {' '.join(FLAGS)}",
            ]  # fmt: skip
            subprocess.run(
                [str(part) for part in command], env={**os.environ, "CHROME_PATH": program}, capture_output=True
            )
            found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {"runtimeError": True}
        if found.get("runtimeError"):
            return {}
        marks = {name: round(100 * part["score"]) for name, part in found["categories"].items() if part["score"]}
        runs.append({**marks, **{name: found["audits"][name].get("displayValue", "?") for name in SHOWN}})
        if marks.get("performance", 0) >= 98:
            return runs[-1]
    return sorted(runs, key=lambda run: run.get("performance", 0))[TIMES // 2]


def all_marks(program: str, address: str, pages: list[str]) -> None:
    npm = shutil.which("npm")
    if not (TOOL / "node_modules" / ".bin" / "lighthouse").exists() and (
        not npm or subprocess.run([npm, "install", "--no-save", "--no-audit", "--prefix", TOOL, LIGHTHOUSE]).returncode
    ):
        print("Lighthouse를 설치하지 못해 건너뛴다.")
        return
    worst: dict[str, int] = {}
    for page in pages:
        marks = lighthouse(program, address, page)
        print(f"{page}: " + (", ".join(f"{name} {mark}" for name, mark in marks.items()) or "답이 없다"), flush=True)
        for name, mark in marks.items():
            if isinstance(mark, int):
                worst[name] = min(worst.get(name, 100), mark)
    print(f"{len(pages)}쪽에서 가장 낮은 점수:", worst)


def main() -> int:
    names = ("chromium", "google-chrome", "chrome")
    program = os.environ.get("MINIK8S_CHROME") or next((path for name in names if (path := shutil.which(name))), None)
    if not program or not (HTML / "index.html").exists():
        print("크로미움과 지은 책(`python3 run.py book`)이 있어야 잰다.")
        return 1
    found = [path for top in ("book", "labs") for path in (HTML / top).rglob("*.html")]
    every = sorted(path.relative_to(HTML).as_posix() for path in found)
    with served() as address:
        for page in sys.argv[1:] or FIRST:
            if '"why": ""' in (HTML / page).read_text(encoding="utf-8"):  # at least one cell that runs in the page
                first_output(program, address, page)
        all_marks(program, address, sys.argv[1:] or every)
    return 0


if __name__ == "__main__":
    sys.exit(main())
