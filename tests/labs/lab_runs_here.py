"""Where the labs are, where they must pass, and how to run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABS = ROOT / "labs"
NOTEBOOKS = sorted((LABS / "notebooks").glob("*.md"))
GIVEN = os.environ.get("MINIK8S_CONTEXT")
PLACES = [GIVEN] if GIVEN else ["embedded", "minik8s up"]


def lab_runs(*arguments):
    """(the runs, what was left behind) as tools/lab_runs.py tells them."""
    command = [sys.executable, str(ROOT / "tools" / "lab_runs.py"), "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines and "left" in lines[-1], done.stderr
    return lines[:-1], lines[-1]["left"]
