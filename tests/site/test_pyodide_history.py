"""Same manifests, same seed: in the page's Python the same history as here, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from site_pages import ROOT

PYODIDE = ROOT / "node_modules" / "pyodide"
STORY = ROOT / "tests" / "scenarios" / "story.py"


def test_pyodide_writes_the_same_history() -> None:
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if not node or not (PYODIDE / "pyodide.mjs").exists():
        pytest.skip("Node나 node_modules가 없다: `python3 run.py book`이 갖춘다")
    yaml_folder = Path(yaml.__file__).parents[1]
    player = Path(__file__).with_name("pyodide_story.mjs")
    command = [node, player, PYODIDE, STORY, ROOT / "labs", yaml_folder]
    in_page = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert in_page.returncode == 0, in_page.stderr
    version, history = in_page.stdout.splitlines()
    assert version.startswith("3.14."), "Pyodide 314 is CPython 3.14"
    env = {**os.environ, "PYTHONHASHSEED": "6", "PYTHONPATH": str(ROOT / "labs")}
    here = subprocess.run([sys.executable, str(STORY)], env=env, capture_output=True, text=True, check=True)
    assert history == here.stdout.strip()
