"""In-place resize: what the status says while it waits and once it has happened."""

from __future__ import annotations

from typing import Any

from minik8s import lab
from minik8s.lab import Lab
from minik8s.objects import Object

POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "box"},
    "spec": {
        "containers": [{"name": "main", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}],
    },
}


def resize(k: Lab, cpu: str) -> None:
    body: dict[str, Any] = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}]}}
    k.client.patch("pods", "default", "box", body, subresource="resize", type="strategic")
    k.sleep(10)


def pending(k: Lab) -> list[str]:
    conditions = k.get("pod/box")["status"]["conditions"]
    return [c["reason"] for c in conditions if c["type"] == "PodResizePending"]


def test_a_resize_that_waits_is_a_condition_and_one_that_happens_takes_it_away() -> None:
    k = lab.connect(nodes=1)
    k.apply(POD)
    k.wait("pod/box", "ready")
    resize(k, "64")
    assert pending(k) == ["Infeasible"]
    resize(k, "200m")
    assert pending(k) == []
    status = k.get("pod/box")["status"]
    assert {"Ready", "PodScheduled"} <= {c["type"] for c in status["conditions"]}
    assert status["containerStatuses"][0]["resources"]["requests"]["cpu"] == "200m"
    assert status["containerStatuses"][0]["restartCount"] == 0
