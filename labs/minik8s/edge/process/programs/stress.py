"""`stress` (polinux/stress, vish/stress): really takes memory and CPU. A script of the standard library alone."""

from __future__ import annotations

import re
import subprocess
import sys
import time

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "ki": 1 << 10, "m": 1 << 20, "mi": 1 << 20, "g": 1 << 30, "gi": 1 << 30}
_BURN = "while True: pass"
PAGE = 4096


def size(text: str) -> int:
    """Bytes of "150M" or "110Mi"."""
    found = re.fullmatch(r"(\d+)([a-zA-Z]{0,2})", text)
    if found is None or found[2].lower() not in _UNITS:
        sys.exit(f"stress: FAIL: unrecognized size: {text}")
    return int(found[1]) * _UNITS[found[2].lower()]


def option(*names: str) -> str | None:
    words = sys.argv[1:]
    for i, word in enumerate(words):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key in names:
            return value if equals else words[i + 1] if i + 1 < len(words) else ""
    return None


def main() -> None:
    workers = int(option("vm", "m") or 0)
    total = size(option("mem-total") or "0") or workers * size(option("vm-bytes") or "256M")
    step = size(option("mem-alloc-size") or "0") or max(total // max(workers, 1), 1)
    pause = re.fullmatch(r"(\d+)(ms|s)?", option("mem-alloc-sleep") or "0")
    wait = int(pause[1]) * (0.001 if pause[2] == "ms" else 1.0) if pause else 0.0
    cpus, limit = int(option("cpu", "c", "cpus") or 0), option("timeout", "t")
    if not total and not cpus:
        sys.exit("stress: FAIL: nothing to do")
    print(f"stress: info: dispatching hogs: {cpus} cpu, 0 io, {workers} vm, 0 hdd", flush=True)
    burning = [subprocess.Popen([sys.executable, "-I", "-S", "-c", _BURN]) for _ in range(cpus)]
    kept = []
    while total > 0:
        piece = bytearray(min(step, total))
        piece[::PAGE] = b"x" * len(piece[::PAGE])  # the kernel gives memory to those who write to it
        kept.append(piece)
        total -= len(piece)
        time.sleep(wait)
    time.sleep(float((limit or "").rstrip("s") or 10**8))
    for each in burning:
        each.kill()


if __name__ == "__main__":
    main()
