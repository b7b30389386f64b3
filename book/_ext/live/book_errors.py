"""How an error in a cell is shown: the lines of the reader's own cell, then type and message.

Used both by the kernel at build time and by the runtime in the page, so it knows neither IPython nor Pyodide.
"""

from __future__ import annotations

import linecache
import traceback


def is_cell(filename: str) -> bool:
    return filename.startswith(("<cell", "<ipython-input")) or "ipykernel_" in filename


def format_error(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and (error.filename is None or is_cell(error.filename)):
        return _syntax(error)
    lines = ["Traceback (most recent call last):"]
    for frame in traceback.extract_tb(error.__traceback__):
        if not is_cell(frame.filename):
            continue
        where = "" if frame.name == "<module>" else f", {frame.name}()"
        source = (linecache.getline(frame.filename, frame.lineno or 0) or frame.line or "").strip()
        lines.append(f"  셀 {frame.lineno}번째 줄{where}: {source}")
    return "\n".join([*lines, _last(error)])


def _syntax(error: SyntaxError) -> str:
    text = (error.text or "").rstrip("\n")
    lines = [f"  셀 {error.lineno}번째 줄: {text.strip()}"]
    return "\n".join([*lines, f"{type(error).__name__}: {error.msg}"])


def _last(error: BaseException) -> str:
    message = str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
