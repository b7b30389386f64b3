"""Builds one page quickly into _build/preview, beside landing page and glossary: `run.py book --page 05`
(`--page labs/05` for a lab)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import site_assignments

ROOT = Path(__file__).resolve().parent.parent
PREVIEW = ROOT / "_build" / "preview"


def find(name: str) -> Path:
    folder, _, stem = name.removesuffix(".md").rpartition("/")
    folder = {"": "book", "labs": "labs/notebooks"}.get(folder, folder)
    found = sorted((ROOT / folder).glob(f"{stem}*.md"))
    if not found:
        sys.exit(f"실패: {folder}/{stem}*.md가 없다")
    return found[0].relative_to(ROOT).with_suffix("")


def main() -> int:
    site_assignments.main()
    pages = [find(name) for name in sys.argv[1:]]
    chapters = [*pages, *(Path("book") / name for name in ("glossary",) if (ROOT / "book" / f"{name}.md").exists())]
    PREVIEW.mkdir(parents=True, exist_ok=True)
    toc = PREVIEW / "_toc.yml"
    lines = ["format: jb-book", "root: book/index", "chapters:"]
    toc.write_text(
        "\n".join([*lines, *(f"  - file: {page.as_posix()}" for page in dict.fromkeys(chapters))]) + "\n",
        encoding="utf-8",
    )
    shutil.rmtree(PREVIEW / "_build", ignore_errors=True)
    command = [
        str(Path(sys.executable).parent / "jupyter-book"),
        "build",
        ".",
        "--toc",
        str(toc),
        "--path-output",
        str(PREVIEW),
    ]
    done = subprocess.run(command, cwd=ROOT)
    for page in pages:
        print("쪽:", PREVIEW / "_build" / "html" / page.with_suffix(".html"))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
