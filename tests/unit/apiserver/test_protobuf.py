"""Bodies in Kubernetes' protobuf encoding, as kubectl's typed commands send them."""

from __future__ import annotations

import pytest

from minik8s.apiserver import protobuf


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: bytes | int | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(version: str, kind: str, message: bytes) -> bytes:
    return protobuf.PREFIX + field(1, field(1, version) + field(2, kind)) + field(2, message)


def test_an_object_is_what_its_json_would_be() -> None:
    metadata = field(1, "a") + field(11, field(1, "app") + field(2, "web"))
    message = field(1, metadata) + field(2, field(1, "k") + field(2, "v")) + field(3, field(1, "b") + field(2, b"\x00"))
    assert protobuf.decode(body("v1", "ConfigMap", message)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"app": "web"}},
        "data": {"k": "v"},
        "binaryData": {"b": "AA=="},
    }


def test_inlined_structs_quantities_and_ports_are_as_in_json() -> None:
    empty_dir = field(2, field(1, "Memory") + field(2, field(1, "1Gi")))
    probe = field(1, field(2, field(1, "/") + field(2, field(1, 1) + field(3, "http"))))
    container = field(1, "c") + field(10, probe)
    spec = field(1, field(1, "tmp") + field(2, empty_dir)) + field(2, container) + field(4, -1)
    found = protobuf.decode(body("v1", "Pod", field(2, spec)))["spec"]
    assert found == {
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}],
        "containers": [{"name": "c", "livenessProbe": {"httpGet": {"path": "/", "port": "http"}}}],
        "terminationGracePeriodSeconds": -1,
    }


def test_times_are_rfc_3339_and_unset_ones_null() -> None:
    stamped = field(1, field(8, field(1, 1767225600)))
    read = protobuf.decode(body("v1", "ConfigMap", stamped))
    assert read["metadata"] == {"creationTimestamp": "2026-01-01T00:00:00Z"}
    unset = field(1, field(8, b""))
    assert protobuf.decode(body("v1", "ConfigMap", unset))["metadata"] == {"creationTimestamp": None}


def test_delete_options_belong_to_every_group() -> None:
    assert protobuf.decode(body("apps/v1", "DeleteOptions", field(1, 0)))["gracePeriodSeconds"] == 0


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        protobuf.PREFIX + b"\xff",
        protobuf.PREFIX + field(1, field(1, "v1") + field(2, "ConfigMap")) + b"\x12\x7f",
        body("v9", "Nothing", b""),
        body("v1", "ConfigMap", field(1, field(1, 7))),
        body("v1", "ConfigMap", field(1, field(8, field(1, 1 << 62)))),
    ],
)
def test_what_cannot_be_read_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        protobuf.decode(data)
