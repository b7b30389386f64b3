"""`kubectl apply --server-side` tells whose field it is, and what can be done, as the real kubectl does."""

from __future__ import annotations

from minik8s import lab

BLUE = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: blue}}"
GREEN = BLUE.replace("blue", "green")


def test_a_field_of_another_manager_is_a_conflict_with_ways_out() -> None:
    k = lab.connect(nodes=0)
    k.kubectl("apply --server-side --field-manager=team-a -f -", stdin=BLUE)
    result = k.kubectl("apply --server-side --field-manager=team-b -f -", stdin=GREEN)
    assert result.code == 1
    first, second, *_ = result.stderr.splitlines()
    assert first == 'error: Apply failed with 1 conflict: conflict with "team-a": .data.color'
    assert second == "Please review the fields above--they currently have other managers. Here"
    assert k.get("configmap/settings")["data"] == {"color": "blue"}


def test_force_takes_the_field_over() -> None:
    k = lab.connect(nodes=0)
    k.kubectl("apply --server-side --field-manager=team-a -f -", stdin=BLUE)
    k.kubectl("apply --server-side --field-manager=team-b --force-conflicts -f -", stdin=GREEN)
    assert k.get("configmap/settings")["data"] == {"color": "green"}
