"""Builds one page quickly into _build/preview, beside landing page and glossary: `run.py book --page 05`
(`--page labs/05` for a lab)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import site_assignments

ROOT = Path(__file__).resolve().parent.parent
PREVIEW = ROOT / "_build" / "preview"
START = Path("book/index")


def find(name: str) -> Path:
    folder, _, stem = name.removesuffix(".md").rpartition("/")
    folder = {"": "book", "labs": "labs/notebooks"}.get(folder, folder)
    found = sorted((ROOT / folder).glob(f"{stem}*.md"))
    if not found:
        sys.exit(f"실패: {folder}/{stem}*.md가 없다")
    return found[0].relative_to(ROOT).with_suffix("")


def only_left_out(line: str) -> bool:
    """Whether a warning is about a page that the book has and the preview has not."""
    found = re.search(r"Unknown source document '([^']+)'", line)
    return found is not None and (ROOT / f"{found[1]}.md").exists()


def main() -> int:
    site_assignments.main()
    pages = [find(name) for name in sys.argv[1:]]
    chapters = [*pages, *(Path("book") / name for name in ("glossary",) if (ROOT / "book" / f"{name}.md").exists())]
    PREVIEW.mkdir(parents=True, exist_ok=True)
    toc = PREVIEW / "_toc.yml"
    lines = ["format: jb-book", f"root: {START.as_posix()}", "chapters:"]
    lines += [f"  - file: {page.as_posix()}" for page in dict.fromkeys(chapters) if page != START]
    toc.write_text("\n".join(lines) + "\n", encoding="utf-8")
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
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    print("\n".join(line for line in done.stdout.splitlines() if not only_left_out(line)))
    for page in pages:
        print("쪽:", PREVIEW / "_build" / "html" / page.with_suffix(".html"))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
