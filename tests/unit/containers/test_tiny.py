"""labs/containers/tiny.py makes a container on Linux where user namespaces are allowed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TINY = Path(__file__).resolve().parents[3] / "labs" / "containers" / "tiny.py"


def tiny(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TINY), *command], capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _possible() -> None:
    if sys.platform != "linux" or tiny("true").returncode == 125:
        pytest.skip("needs Linux and unprivileged user namespaces")


def test_the_process_is_number_one_root_and_has_its_own_host_name() -> None:
    found = tiny("sh", "-c", "echo $$; id -u; cat /proc/sys/kernel/hostname")
    assert found.stdout.split() == ["1", "0", "tiny"]


def test_the_programs_of_the_host_are_there_to_read_only() -> None:
    assert tiny("sh", "-c", ": > /usr/written").returncode != 0
    assert not Path("/usr/written").exists()


def test_the_exit_code_is_the_command_s() -> None:
    assert tiny("sh", "-c", "exit 7").returncode == 7
