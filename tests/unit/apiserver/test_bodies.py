"""Bad input is answered with the right 4xx and a Status, never with a 500 or a partial write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minik8s.apiserver import gojson, yamlform
from minik8s.apiserver.bodies import MAX_BODY
from unit.apiserver.serving import JSON_PATCH, MERGE, STRATEGIC, Api, to_json

MAPS = "/api/v1/namespaces/default/configmaps"
UNKNOWN = (
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: "
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", UNKNOWN + "unexpected end of JSON input (<empty>)"),
        (b"{", UNKNOWN + "unexpected end of JSON input (7b)"),
        (b"nope", UNKNOWN + "invalid character 'o' in literal null (expecting 'u') (6e6f7065)"),
        (b'{"a" 1}', UNKNOWN + "invalid character '1' after object key (7b226122 2031 7d)".replace(" 2031 ", "2031")),
        (b"\xff", UNKNOWN + "invalid UTF-8 at byte 0 (ff)"),
    ],
)
def test_what_is_no_json(api: Api, body: bytes, message: str) -> None:
    answer = api.post(MAPS, body, type="application/json")
    assert answer.status == 400
    assert answer.body["message"] == message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a":1} x', "invalid character 'x' after top-level value"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\n"', "invalid character '\\n' in string literal"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
    ],
)
def test_json_errors_have_gos_words(text: str, why: str) -> None:
    with pytest.raises(gojson.JsonError) as error:
        gojson.loads(text)
    assert str(error.value) == why


def test_repeated_keys_are_found_with_their_paths() -> None:
    value, repeated = gojson.loads('{"a":{"b":1,"b":2},"l":[{"c":1,"c":2}],"a":{"d":1}}')
    assert value["a"] == {"d": 1}
    assert repeated == ['duplicate field "a.b"', 'duplicate field "l[0].c"', 'duplicate field "a"']


def test_too_large_and_too_deep_bodies(api: Api) -> None:
    assert api.post(MAPS, b" " * (MAX_BODY + 1), type="application/json").status == 413
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    assert api.post(MAPS, deep, type="application/json").status == 400
    assert api.post(MAPS, b"[" * 100_000, type="application/yaml").status == 400


def test_content_types(api: Api) -> None:
    assert api.post(MAPS, b"{}", type="text/plain").status == 415
    assert api.post(MAPS, b"\x0a\x00", type="application/vnd.kubernetes.protobuf").status == 400
    assert api.patch(f"{MAPS}/x", b"{}", type="application/json").status == 415
    assert api.get(MAPS, headers={"accept": "application/vnd.kubernetes.protobuf"}).status == 406
    assert api.get(MAPS, headers={"accept": "application/vnd.kubernetes.protobuf, application/json"}).status == 200
    assert api.get(MAPS, headers={"accept": "image/png"}).status == 406


def test_nothing_is_written_by_a_refused_request(api: Api) -> None:
    before = api.store.revision
    api.post(MAPS, to_json({"metadata": {"name": "BAD NAME"}}), type="application/json")
    api.post(MAPS, to_json({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}}), type="application/json")
    api.post(MAPS, to_json({"metadata": {"name": "x"}, "data": {"a": 1}}), type="application/json")
    assert api.store.revision == before


bad_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["metadata", "name", "spec", "data", "labels", "containers", "kind", "apiVersion", "op", "path", "value",
             "finalizers", "$patch", "$retainKeys", "$setElementOrder/containers", "ownerReferences", "x"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


class TestAnything:
    """Whatever is sent, the answer is a Status or an object, and never a failure of the server's own."""

    api: Api

    @classmethod
    def setup_class(cls) -> None:
        cls.api = Api()
        cls.api.config_map("x")
        cls.api.pod("p")

    def check(self, answer: Any) -> None:
        assert answer.status < 500 or answer.body.get("reason", "") == "", answer.body
        assert isinstance(answer.body, dict)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.binary(max_size=60), st.sampled_from(["application/json", "application/yaml"]))
    def test_bytes(self, body: bytes, media: str) -> None:
        self.check(self.api.post(MAPS, body, type=media))

    @settings(max_examples=120, suppress_health_check=list(HealthCheck), deadline=None)
    @given(bad_documents, st.sampled_from(["pods", "configmaps", "services", "namespaces"]))
    def test_documents(self, document: Any, plural: str) -> None:
        path = "/api/v1/namespaces" if plural == "namespaces" else f"/api/v1/namespaces/default/{plural}"
        self.check(self.api.post(path, to_json(document), type="application/json"))

    @settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
    @given(bad_documents, st.sampled_from([MERGE, STRATEGIC, JSON_PATCH]))
    def test_patches(self, document: Any, media: str) -> None:
        self.check(self.api.patch(f"{MAPS}/x", to_json(document), media))
        self.check(self.api.patch("/api/v1/namespaces/default/pods/p", to_json(document), media))


class TestYaml:
    def test_scalars_are_read_as_go_yaml_reads_them(self) -> None:
        text = "a: 2026-01-01\nb: 22:22\nc: 1e3\nd: yes\ne: 0777\nf: 0x10\ng: ~\nh: '1'\ni: 1.0\n"
        value, _ = yamlform.loads(text)
        expected = {
            "a": "2026-01-01",
            "b": "22:22",
            "c": 1000,
            "d": True,
            "e": 511,
            "f": 16,
            "g": None,
            "h": "1",
            "i": 1,
        }
        assert value == expected

    def test_what_would_be_read_otherwise_is_quoted(self) -> None:
        text = yamlform.dumps({"a": "1", "b": "true", "c": "2026-01-01T00:00:00Z", "d": "x y", "e": "l\nm\n", "f": ""})
        assert text == 'a: "1"\nb: "true"\nc: "2026-01-01T00:00:00Z"\nd: x y\ne: |\n  l\n  m\nf: ""\n'

    def test_a_syntax_error_names_its_line(self) -> None:
        with pytest.raises(yamlform.YamlError, match="yaml: line 2: mapping values are not allowed in this context"):
            yamlform.loads("a: b\n c: d\n")

    def test_repeated_keys_are_told(self) -> None:
        value, repeated = yamlform.loads("a: 1\na: 2\n")
        assert value == {"a": 2}
        assert repeated == ['line 2: key "a" already set in map']
