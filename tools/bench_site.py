"""How fast the site is: first output of a cell (cold and warm), what it downloads, and Lighthouse's marks.

python tools/bench_site.py [페이지 ...]       Lighthouse runs when `npx lighthouse` is at hand (npm i lighthouse)
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
from pathlib import Path

import site_serve

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def first_output(program: str, address: str, page: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, tempfile.TemporaryDirectory() as profile:
        context = driver.chromium.launch_persistent_context(profile, executable_path=program, args=FLAGS)
        for name in ("차가울 때", "데워진 뒤"):
            tab = context.new_page()
            tab.goto(f"{address}{page}")
            tab.wait_for_load_state("networkidle")
            start = time.monotonic()
            tab.locator(".live-run").first.click()
            tab.locator(".live-ran").first.wait_for(timeout=60_000)
            print(f"{page}: 첫 출력, {name} {time.monotonic() - start:.2f}초")
            tab.close()
        context.close()


def lighthouse(program: str, address: str, page: str) -> None:
    npx = shutil.which("npx")
    if not npx:
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            npx,
            "--no-install",
            "lighthouse",
            f"{address}{page}",
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            "--chrome-flags=--headless --no-sandbox --disable-gpu",
        ]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "CHROME_PATH": program}, capture_output=True, text=True
        )
        if done.returncode != 0 or not report.exists():
            print("Lighthouse가 없어 건너뛴다 (npm install --no-save lighthouse).")
            return
        marks = json.loads(report.read_text(encoding="utf-8"))["categories"]
        print(f"{page}: " + ", ".join(f"{name} {round(100 * mark['score'])}" for name, mark in marks.items()))


def main() -> int:
    names = ("chromium", "google-chrome", "chrome")
    program = os.environ.get("MINIK8S_CHROME") or next((path for name in names if (path := shutil.which(name))), None)
    if not program or not (HTML / "index.html").exists():
        print("크로미움과 지은 책(`python3 run.py book`)이 있어야 잰다.")
        return 1
    server = site_serve.make(HTML, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    every = sorted(path.relative_to(HTML).as_posix() for path in HTML.glob("book/[0-9]*.html"))
    for page in sys.argv[1:] or every:
        if 'id="live-page"' in (HTML / page).read_text(encoding="utf-8"):
            first_output(program, address, page)
        lighthouse(program, address, page)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
