"""Where the built site is, and its pages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("MINIK8S_SITE") or ROOT / "_build" / "html")
sys.path.insert(0, str(ROOT / "tools"))


def pages() -> list[str]:
    """Every page of the book, relative to the site."""
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("book/**/*.html"))


def lab_pages() -> list[str]:
    """The labs' pages, relative to the site."""
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("labs/notebooks/*.html"))


def live_pages() -> list[str]:
    return [name for name in pages() if 'id="live-page"' in (SITE / name).read_text(encoding="utf-8")]
