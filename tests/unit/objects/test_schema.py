"""Decoding: what the server makes of a body, and what it says of one it cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.objects import freeze
from minik8s.objects.kinds import BUILTIN
from minik8s.objects.schema import DecodeResult, decode, decode_type

POD = {"name": "app", "image": "nginx"}


def of(kind: str, **fields: Any) -> DecodeResult:
    found = BUILTIN.find(kind)
    assert found is not None
    return decode(found, {"apiVersion": found.api_version, "kind": found.kind, **fields})


def test_structs_are_always_written_and_empty_values_are_not() -> None:
    pod = of("pods", metadata={"name": "a", "labels": {}}, spec={"containers": [POD], "volumes": []}).object
    assert pod["metadata"] == {"name": "a"}
    assert pod["spec"] == {"containers": [{**POD, "resources": {}}]}
    assert pod["status"] == {}


def test_fields_without_omitempty_are_written_as_null_or_zero() -> None:
    assert of("clusterroles", metadata={"name": "a"}).object["rules"] is None
    assert of("hpa", metadata={}, spec={"maxReplicas": 1}).object["status"] == {
        "currentMetrics": None, "desiredReplicas": 0}


def test_pointers_to_empty_structs_stay() -> None:
    spec = {"containers": [POD], "volumes": [{"name": "v", "emptyDir": {}}], "securityContext": {}}
    decoded = of("pods", metadata={}, spec=spec).object["spec"]
    assert decoded["volumes"] == [{"name": "v", "emptyDir": {}}] and decoded["securityContext"] == {}


@pytest.mark.parametrize(("given", "kept"),
                         [("1000m", "1"), (1, "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), (0.1, "100m")])
def test_quantities_are_kept_in_canonical_form(given: Any, kept: str) -> None:
    spec = {"containers": [{**POD, "resources": {"limits": {"x": given}}}]}
    assert of("pods", metadata={}, spec=spec).object["spec"]["containers"][0]["resources"]["limits"] == {"x": kept}


@pytest.mark.parametrize(("given", "kept"), [
    ("2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00Z"), ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00Z")])
def test_times_are_kept_in_utc_and_whole_seconds(given: str, kept: str) -> None:
    assert decode_type("meta.v1.ObjectMeta", {"creationTimestamp": given}).object["creationTimestamp"] == kept


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [("pods", {"spec": {"hostNetwork": "yes"}},
      "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
     ("pods", {"spec": {"containers": {}}},
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"),
     ("pods", {"spec": "x"}, "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"),
     ("pods", {"metadata": {"labels": ["a"]}},
      "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"),
     ("deploy", {"spec": {"replicas": 1.5}},
      "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
     ("deploy", {"spec": {"replicas": 2**31}},
      "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32"),
     ("pods", {"spec": {"containers": [{"ports": [{"protocol": 6}]}]}},
      "json: cannot unmarshal number into Go struct field ContainerPort.spec.containers.ports.protocol of type "
      "v1.Protocol"),
     ("svc", {"spec": {"ports": [{"targetPort": True}]}},
      "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32"),
     ("cm", {"data": {"a": 1}}, "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
     ("secrets", {"data": {"a": "not base64!"}}, "illegal base64 data at input byte 3"),
     ("secrets", {"data": {"a": "YQ"}}, "illegal base64 data at input byte 0"),
     ("pods", {"metadata": {"creationTimestamp": "soon"}},
      'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"')])
def test_what_cannot_be_read_is_worded_as_go_does(kind: str, fields: dict[str, Any], error: str) -> None:
    assert of(kind, **fields).error == error


def test_the_first_fault_is_told_but_a_value_that_reads_itself_stops_the_decoder() -> None:
    spec = {"hostPID": 1, "hostIPC": 2, "containers": [{"resources": {"limits": {"cpu": "x"}}}]}
    assert of("pods", spec=spec).error.startswith("quantities must match")


def test_unknown_fields_are_dropped_and_named_in_the_order_of_the_document() -> None:
    result = of("pods", metadata={}, spec={"containers": [{**POD, "baz": 3}], "foo": 1, "bar": 2}, top=1)
    assert result.strict == [f'unknown field "{path}"' for path in ("spec.containers[0].baz",
                                                                    "spec.foo", "spec.bar", "top")]
    assert not result.error and "foo" not in result.object["spec"]


def test_unchanged_parts_of_a_stored_object_are_taken_as_they_are() -> None:
    kind = BUILTIN.find("pods")
    assert kind is not None
    old = freeze(of("pods", metadata={"name": "a"}, spec={"containers": [POD]}).object)
    new = decode(kind, {**old, "metadata": {"name": "a", "labels": {"x": "y"}}}, old).object
    assert new["spec"] is old["spec"] and new["metadata"]["labels"] == {"x": "y"}
