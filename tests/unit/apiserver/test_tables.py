"""Tables: what `kubectl get` shows of each kind."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import partial, tables
from minik8s.apiserver.crd_kinds import CustomKind
from minik8s.apiserver.tables import custom
from minik8s.apiserver.tables.format import human_duration, selector_text
from minik8s.objects.kinds import BUILTIN, Kind

CREATED = "2026-01-01T00:00:00Z"
NOW = 1767225600.0 + 600


def kind(name: str) -> Kind:
    found = BUILTIN.by_name(name)
    assert found is not None
    return found


def row(name: str, obj: dict[str, Any]) -> list[Any]:
    obj = {"metadata": {"name": "x", "creationTimestamp": CREATED}, **obj}
    cells: list[Any] = tables.render(kind(name), [obj], NOW)["rows"][0]["cells"]
    return cells


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (3599, "59m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600, "8h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (9 * 86400, "9d"),
        (2 * 365 * 86400 + 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_have_at_most_two_units(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def container(state: dict[str, Any], restarts: int = 0, ready: bool = False, **more: Any) -> dict[str, Any]:
    return {"name": "c", "state": state, "restartCount": restarts, "ready": ready, **more}


def pod(status: dict[str, Any], spec: dict[str, Any] | None = None, **meta: Any) -> list[Any]:
    metadata = {"name": "p", "creationTimestamp": CREATED, **meta}
    containers = [{"name": "c"}]
    return row("pods", {"metadata": metadata, "spec": {"containers": containers, **(spec or {})}, "status": status})


def test_a_running_pod() -> None:
    cells = pod({"phase": "Running", "containerStatuses": [container({"running": {}}, ready=True)]})
    assert cells == ["p", "1/1", "Running", "0", "10m", "<none>", "<none>", "<none>", "<none>"]


def test_restarts_tell_when_the_last_one_was() -> None:
    last = {"terminated": {"finishedAt": "2026-01-01T00:09:50Z", "exitCode": 1}}
    status = {
        "phase": "Running",
        "containerStatuses": [container({"waiting": {"reason": "CrashLoopBackOff"}}, 3, lastState=last)],
    }
    assert pod(status)[1:4] == ["0/1", "CrashLoopBackOff", "3 (10s ago)"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}, "SchedulingGated"),
        ({"containerStatuses": [container({"terminated": {"reason": "Completed"}})]}, "Completed"),
        ({"phase": "Failed", "containerStatuses": [container({"terminated": {"exitCode": 3}})]}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [container({"terminated": {"signal": 9}})]}, "Signal:9"),
    ],
)
def test_the_status_of_a_pod(status: dict[str, Any], text: str) -> None:
    assert pod(status)[2] == text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"waiting": {"reason": "PodInitializing"}}, "Init:0/2"),
        ({"running": {}}, "Init:0/2"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "Init:ImagePullBackOff"),
        ({"terminated": {"exitCode": 1, "reason": "Error"}}, "Init:Error"),
        ({"terminated": {"exitCode": 2}}, "Init:ExitCode:2"),
    ],
)
def test_init_containers_hold_a_pod_up(state: dict[str, Any], text: str) -> None:
    spec = {"initContainers": [{"name": "a"}, {"name": "b"}]}
    assert pod({"phase": "Pending", "initContainerStatuses": [{"name": "a", "state": state}]}, spec)[2] == text


def test_sidecars_count_as_containers() -> None:
    spec = {"initContainers": [{"name": "s", "restartPolicy": "Always"}]}
    sidecar = {"name": "s", "state": {"running": {}}, "started": True, "ready": True, "restartCount": 1}
    status = {
        "phase": "Running",
        "initContainerStatuses": [sidecar],
        "containerStatuses": [container({"running": {}}, ready=True)],
    }
    assert pod(status, spec)[1:4] == ["2/2", "Running", "1"]


def test_a_pod_being_deleted_is_terminating_unless_it_ended() -> None:
    assert pod({"phase": "Running"}, deletionTimestamp=CREATED)[2] == "Terminating"
    assert pod({"phase": "Running", "reason": "NodeLost"}, deletionTimestamp=CREATED)[2] == "Unknown"
    assert pod({"phase": "Succeeded"}, deletionTimestamp=CREATED)[2] == "Succeeded"


def test_a_pod_that_ended_has_a_row_condition() -> None:
    obj = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Succeeded"}}
    conditions = tables.render(kind("pods"), [obj], NOW)["rows"][0]["conditions"]
    assert [entry["reason"] for entry in conditions] == ["Succeeded"]


def test_nodes_show_readiness_roles_and_what_they_run() -> None:
    node = {
        "metadata": {
            "name": "n",
            "creationTimestamp": CREATED,
            "labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "edge"},
        },
        "spec": {"unschedulable": True},
        "status": {
            "conditions": [{"type": "Ready", "status": "False"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.36.2", "kernelVersion": "6.1.0", "architecture": "amd64"},
        },
    }
    assert row("nodes", node) == [
        *("n", "NotReady,SchedulingDisabled", "control-plane,edge", "10m", "v1.36.2"),
        *("10.0.0.1", "<none>", "<unknown>", "6.1.0 (amd64)", "<unknown>"),
    ]


def test_services_show_where_they_can_be_reached() -> None:
    spec = {"type": "NodePort", "clusterIP": "10.96.0.9", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]}
    assert row("services", {"spec": spec}) == ["x", "NodePort", "10.96.0.9", "<none>", "80:30080/TCP", "10m", "<none>"]
    balanced = {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "externalIPs": ["1.2.3.4"]}
    status = {"loadBalancer": {"ingress": [{"hostname": "b"}, {"ip": "5.6.7.8"}]}}
    assert row("services", {"spec": balanced, "status": status})[3] == "5.6.7.8,b,1.2.3.4"
    assert row("services", {"spec": {"type": "LoadBalancer"}})[3] == "<pending>"
    assert row("services", {"spec": {"type": "ExternalName", "externalName": "db.example.com"}})[2:4] == [
        *("<none>", "db.example.com")
    ]


def test_jobs_show_their_progress() -> None:
    spec = {"completions": 3, "template": {}}
    status = {"startTime": CREATED, "succeeded": 1}
    assert row("jobs.batch", {"spec": spec, "status": status})[1:4] == ["Running", "1/3", "10m"]
    done = {**status, "completionTime": "2026-01-01T00:00:42Z", "conditions": [{"type": "Complete", "status": "True"}]}
    assert row("jobs.batch", {"spec": spec, "status": done})[1:4] == ["Complete", "1/3", "42s"]
    assert row("jobs.batch", {"spec": {"parallelism": 4, "template": {}}})[2] == "0/1 of 4"


def test_autoscalers_show_each_metric() -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    pods = {"type": "Pods", "pods": {"target": {"averageValue": "5"}}}
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 30}}}]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5, "metrics": [metric, pods, pods]}
    cells = row("horizontalpodautoscalers.autoscaling", {"spec": spec, "status": {"currentMetrics": current}})
    assert cells[1:6] == ["Deployment/web", "cpu: 30%/80%, <unknown>/5 + 1 more...", "<unset>", 5, 0]


def test_volume_claims_show_what_they_are_bound_to() -> None:
    spec = {"volumeName": "pv1", "storageClassName": "fast", "volumeMode": "Filesystem"}
    status = {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"]}
    assert row("persistentvolumeclaims", {"spec": spec, "status": status})[1:] == [
        *("Bound", "pv1", "1Gi", "RWO,RWX", "fast", "<unset>", "10m", "Filesystem")
    ]


def test_events_show_when_and_about_what() -> None:
    event = {
        "involvedObject": {"kind": "Pod", "name": "p"},
        "firstTimestamp": CREATED,
        "lastTimestamp": "2026-01-01T00:09:00Z",
        "count": 4,
        "type": "Warning",
        "reason": "BackOff",
        "message": " back-off ",
        "source": {"component": "kubelet", "host": "n1"},
    }
    assert row("events", event) == [
        *("60s", "Warning", "BackOff", "pod/p", "", "kubelet, n1", "back-off", "10m", 4, "x")
    ]


def test_metrics_show_what_is_used() -> None:
    containers = [{"usage": {"cpu": "5m", "memory": "10Mi"}}, {"usage": {"cpu": "7m", "memory": "6Mi"}}]
    assert row("pods.metrics.k8s.io", {"containers": containers, "window": "15s"}) == ["x", "12m", "16Mi", "15s"]
    usage = {"cpu": "250m", "memory": "1Gi"}
    assert row("nodes.metrics.k8s.io", {"usage": usage, "window": "10s"}) == ["x", "250m", "1Gi", "10s"]


def test_selectors_are_written_as_kubectl_takes_them() -> None:
    terms = [{"key": "b", "operator": "In", "values": ["y", "x"]}, {"key": "c", "operator": "Exists"}]
    assert selector_text({"matchLabels": {"d": "1"}, "matchExpressions": terms}) == "b in (x,y),c,d=1"


def test_kinds_without_columns_of_their_own_show_when_they_were_made() -> None:
    table = tables.render(kind("limitranges"), [{"metadata": {"name": "x", "creationTimestamp": CREATED}}], NOW)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Created At"]
    assert table["rows"][0]["cells"] == ["x", CREATED]


def test_every_kind_has_as_many_cells_as_columns() -> None:
    for each in BUILTIN:
        cells = tables.render(each, [minimal(each)], NOW)["rows"][0]["cells"]
        assert len(cells) == len(tables.columns(each)), each.resource_name


def minimal(each: Kind) -> dict[str, Any]:
    return {"kind": each.kind, "metadata": {"name": "x", "creationTimestamp": CREATED}, "spec": {}, "status": {}}


def test_rows_carry_the_object_as_asked() -> None:
    obj = {"kind": "ConfigMap", "metadata": {"name": "x", "resourceVersion": "7"}, "data": {"a": "b"}}
    one = tables.render(kind("configmaps"), [obj], NOW)
    assert one["metadata"] == {"resourceVersion": "7"}
    assert one["rows"][0]["object"] == partial.metadata(obj)
    assert tables.render(kind("configmaps"), [obj], NOW, "None")["rows"][0]["object"] is None
    assert tables.render(kind("configmaps"), [obj], NOW, "Object")["rows"][0]["object"] == obj
    later = tables.render(kind("configmaps"), [obj], NOW, headers=False)
    assert later["columnDefinitions"] is None


def test_custom_kinds_show_their_printer_columns() -> None:
    columns = (
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Since", "type": "date", "jsonPath": ".status.since"},
        {"name": "Spec", "type": "string", "jsonPath": ".spec"},
    )
    own = CustomKind("g.io", "v1", "W", "ws", "w", True, custom=True, columns=columns)
    conditions = [{"type": "A", "status": "x"}, {"type": "Ready", "status": "True"}]
    obj = {"metadata": {"name": "w"}, "spec": {"size": 3}, "status": {"conditions": conditions, "since": CREATED}}
    table = tables.render(own, [obj, {"metadata": {"name": "v"}}], NOW)
    assert [entry["cells"] for entry in table["rows"]] == [
        ["w", "True", 3, "10m", '{"size":3}'],
        ["v", None, None, None, None],
    ]
    assert table["columnDefinitions"][2]["priority"] == 1


def test_custom_kinds_show_their_age_by_default() -> None:
    own = CustomKind("g.io", "v1", "W", "ws", "w", True, custom=True)
    table = tables.render(own, [{"metadata": {"name": "w", "creationTimestamp": CREATED}}], NOW)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Age"]
    assert table["rows"][0]["cells"] == ["w", "10m"]


def test_json_paths_follow_fields_indices_and_filters() -> None:
    obj = {"a": {"b.c": [{"n": 1}, {"n": 2}]}}
    assert custom.find(obj, custom.parse(r".a.b\.c[1].n") or ()) == [2]
    assert custom.find(obj, custom.parse(".a['b.c'][*].n") or ()) == [1, 2]
    assert custom.find(obj, custom.parse(".a.nothing") or ()) == []
    assert custom.parse("a[") is None
