"""Every check of the project, quick ones first; run by `run.py test`.

A failure does not stop the rest. The last line counts them in pytest's words, for people and for CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import run  # noqa: E402
from run import BIN, BUILD, HTML, LOGS, Stop, environment, python, say  # noqa: E402


class Tally:
    """Runs every stage even after a failure; one closing line in pytest's words."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self.start = time.monotonic()

    def check(self, name: str, command: list) -> None:
        begin = time.monotonic()
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        good = done.returncode == 0
        say(f"{'통과' if good else '실패'}  {name}  {time.monotonic() - begin:.1f}초")
        if not good:
            say(done.stdout[-6000:])
        self.passed, self.failed = self.passed + good, self.failed + (not good)

    def pytest(self, name: str, *arguments: object, env: dict | None = None) -> None:
        say(f"— {name}")
        report = LOGS / f"{name}.xml"
        report.unlink(missing_ok=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        command = python("-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments)
        code = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment(env), stdin=subprocess.DEVNULL
        ).returncode
        counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        if report.exists():
            for suite in ElementTree.parse(report).getroot().iter("testsuite"):
                counts = {key: value + int(suite.get(key, 0)) for key, value in counts.items()}
        bad = counts["failures"] + counts["errors"]
        self.skipped += counts["skipped"]
        self.passed += counts["tests"] - bad - counts["skipped"]
        self.failed += bad or (1 if code not in (0, 5) else 0)


OLDER_CLIENT = "kubernetes==36.0.3"


def older_client() -> str:
    """A folder with the official client of one major before; "" (and a line) when it cannot be had."""
    folder = BUILD / "kubernetes-36"
    if not (folder / "kubernetes").exists():
        try:
            run.run("이전 공식 클라이언트 설치", python("-m", "pip", "install", "-q", "--target", folder, OLDER_CLIENT))
        except Stop as problem:
            say(f"! {problem} 이전 클라이언트의 검사를 건너뛴다.")
            return ""
    return str(folder)


def prepare_box() -> None:
    """bubblewrap, in which the grader runs students' code; installed on Debian as root, else its tests are skipped."""
    if not shutil.which("bwrap") and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        try:
            run.run("apt 목록 갱신", ["apt-get", "update", "-qq"])
            run.run("bubblewrap 설치", ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "bubblewrap"])
        except Stop as problem:
            say(f"! {problem} 울타리가 필요한 검사를 건너뛴다.")


def main() -> int:
    tally = Tally()
    prepare_box()
    tally.check("ruff", [BIN / "ruff", "check", "."])
    tally.check("mypy --strict", [BIN / "mypy", "--cache-dir", BUILD / "mypy"])
    tally.check("층 규칙 (import-linter)", [BIN / "lint-imports", "--no-cache"])
    tally.check("용어와 문체", python("tools/site_terms.py"))
    older = {"MINIK8S_KUBERNETES_36": older_client()}
    tally.pytest("단위·시나리오·적합성", "tests", "--ignore=tests/site", "-n", "2", "--dist", "loadgroup", env=older)
    site = {}
    try:
        run.prepare_site()
        run.build_book()
        tally.passed += 1
        site = {"MINIK8S_CHROME": run.prepare_chrome() or "", "MINIK8S_SITE": str(HTML)}
    except Stop as problem:
        say(f"실패  {problem}")
        tally.failed += 1
    tally.pytest("사이트", "tests/site", "-n", "2", env=site)
    seconds = time.monotonic() - tally.start
    say(f"{tally.failed} failed, {tally.passed} passed, {tally.skipped} skipped in {seconds:.0f}s")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
