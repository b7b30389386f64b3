"""Same manifests, same seed: the same history, byte for byte, whatever the hash seed and the Python version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LABS = HERE.parents[1] / "labs"


def interpreter(version: str) -> str | None:
    """A Python of this version that starts: on the path, or among pyenv's."""
    found = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for candidate in filter(None, found):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    return None


def history(python: str, hash_seed: str) -> str:
    site = subprocess.run(
        [sys.executable, "-c", "import yaml, pathlib; print(pathlib.Path(yaml.__file__).parents[1])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join([str(LABS), site])}
    done = subprocess.run([python, str(HERE / "story.py")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_hash_seed_does_not_matter():
    assert history(sys.executable, "1") == history(sys.executable, "2")


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_python_version_does_not_matter(version):
    other = interpreter(version)
    if other is None:
        pytest.skip(f"python{version} is not on this machine")
    assert history(other, "3") == history(sys.executable, "4")
