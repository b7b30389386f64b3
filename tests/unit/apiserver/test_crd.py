"""CustomResourceDefinitions: names, served kinds, schemas, the end."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import crd, crd_schema, crd_structural, crd_values
from minik8s.apiserver.crd_kinds import version_order
from unit.apiserver.serving import Api

Object = dict[str, Any]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/g.example.com/v1/namespaces/default/widgets"
SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "color": {"type": "string", "default": "red", "enum": ["red", "blue"]},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
    },
}


def definition(plural: str = "widgets", kind: str = "Widget", schema: Object | None = None, **version: Any) -> Object:
    own = schema or {"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": own}, **version}]
    return {
        "metadata": {"name": f"{plural}.g.example.com"},
        "spec": {
            "group": "g.example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": versions,
        },
    }


@pytest.fixture
def api() -> Api:
    return Api()


def define(api: Api, **more: Any) -> None:
    answer = api.post(DEFINITIONS, definition(**more))
    assert answer.status == 201, answer.body


def widget(name: str = "a", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"size": 1, **spec}}


def test_a_definition_is_established_and_its_kind_served(api: Api) -> None:
    define(api)
    found = api.get(f"{DEFINITIONS}/widgets.g.example.com").body
    assert found["status"]["acceptedNames"]["listKind"] == "WidgetList"
    conditions = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert api.get("/apis/g.example.com/v1").body["resources"][0]["name"] == "widgets"


def test_names_that_another_definition_holds_are_refused(api: Api) -> None:
    define(api)
    define(api, plural="others", kind="Widget")
    conditions = api.get(f"{DEFINITIONS}/others.g.example.com").body["status"]["conditions"]
    accepted = next(entry for entry in conditions if entry["type"] == "NamesAccepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "ListKindConflict")
    assert api.get("/apis/g.example.com/v1/namespaces/default/others").status == 404


def test_resources_are_defaulted_pruned_and_validated(api: Api) -> None:
    define(api)
    made = api.post(WIDGETS, widget(extra=1))
    assert made.body["spec"] == {"size": 1, "color": "red"}
    assert made.body["metadata"]["generation"] == 1
    assert made.warnings == ['unknown field "spec.extra"']
    refused = api.post(WIDGETS, widget("b", size=0, color="green"))
    assert refused.status == 422
    assert [cause["message"] for cause in refused.body["details"]["causes"]] == [
        "Invalid value: 0: spec.size in body should be greater than or equal to 1",
        'Unsupported value: "green": supported values: "red", "blue"',
    ]


def test_status_is_written_by_its_own_endpoint(api: Api) -> None:
    define(api, subresources={"status": {}})
    made = api.post(WIDGETS, {**widget(), "status": {"x": 1}}).body
    assert "status" not in made
    schema = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
    assert schema
    api.patch(f"{WIDGETS}/a/status", {"status": {}, "spec": {"size": 5}})
    assert api.get(f"{WIDGETS}/a").body["spec"]["size"] == 1


def test_a_scale_subresource_reads_and_writes_the_declared_paths(api: Api) -> None:
    own = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"count": {"type": "integer"}}},
            "status": {"type": "object", "properties": {"count": {"type": "integer"}}},
        },
    }
    scale = {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count"}
    define(api, schema=own, subresources={"status": {}, "scale": scale})
    api.post(WIDGETS, {"metadata": {"name": "a"}, "spec": {"count": 2}})
    assert api.get(f"{WIDGETS}/a/scale").body["spec"]["replicas"] == 2
    api.patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 4}})
    assert api.get(f"{WIDGETS}/a").body["spec"]["count"] == 4


def test_deleting_a_definition_removes_its_resources_first(api: Api) -> None:
    define(api)
    api.post(WIDGETS, widget())
    api.delete(f"{DEFINITIONS}/widgets.g.example.com")
    marked = api.get(f"{DEFINITIONS}/widgets.g.example.com").body
    assert marked["metadata"]["finalizers"] == [crd.FINALIZER]
    api.clock.run_until(api.clock.now() + 1)
    assert api.get(f"{DEFINITIONS}/widgets.g.example.com").status == 404
    assert api.get(WIDGETS).status == 404


def test_rules_are_checked_on_write(api: Api) -> None:
    rules = [
        {"rule": "self.min <= self.max", "message": "min must not exceed max"},
        {"rule": "self.max == oldSelf.max", "messageExpression": "'max is fixed at ' + string(oldSelf.max)"},
    ]
    numbers = {"min": {"type": "integer"}, "max": {"type": "integer"}}
    spec = {"type": "object", "properties": numbers, "x-kubernetes-validations": rules}
    define(api, schema={"type": "object", "properties": {"spec": spec}})
    refused = api.post(WIDGETS, {"metadata": {"name": "a"}, "spec": {"min": 3, "max": 2}})
    assert refused.body["message"].endswith('spec: Invalid value: "object": min must not exceed max')
    api.post(WIDGETS, {"metadata": {"name": "a"}, "spec": {"min": 1, "max": 2}})
    refused = api.patch(f"{WIDGETS}/a", {"spec": {"max": 9}})
    assert "max is fixed at 2" in refused.body["message"]


def test_other_served_versions_show_the_same_resource(api: Api) -> None:
    body = definition()
    body["spec"]["versions"].append({**body["spec"]["versions"][0], "name": "v2beta1", "storage": False})
    assert api.post(DEFINITIONS, body).status == 201
    api.post(WIDGETS, widget())
    other = api.get("/apis/g.example.com/v2beta1/namespaces/default/widgets/a").body
    assert other["apiVersion"] == "g.example.com/v2beta1"
    assert api.get("/apis/g.example.com").body["preferredVersion"]["version"] == "v1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body["metadata"].update(name="bad.name"), 'must be spec.names.plural+"."+spec.group'),
        (lambda body: body["spec"].update(scope=""), "spec.scope: Required value"),
        (lambda body: body["spec"]["versions"][0].update(storage=False), "exactly one version marked as storage"),
        (
            lambda body: body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"].update(x={}),
            "openAPIV3Schema.properties[x].type: Required value: must not be empty for specified object fields",
        ),
        (
            lambda body: body["spec"]["versions"][0].update(additionalPrinterColumns=[{"name": "A", "type": "x"}]),
            "must be one of boolean,date,integer,number,string",
        ),
    ],
)
def test_a_definition_that_is_not_well_formed_is_refused(api: Api, change: Any, message: str) -> None:
    body = definition()
    change(body)
    answer = api.post(DEFINITIONS, body)
    assert answer.status == 422
    assert message in answer.body["message"]


def test_the_kind_of_a_definition_cannot_change(api: Api) -> None:
    define(api)
    answer = api.patch(f"{DEFINITIONS}/widgets.g.example.com", {"spec": {"names": {"kind": "Other"}}})
    assert answer.status == 422
    assert "spec.names.kind" in answer.body["message"]


def test_the_gateway_api_can_be_installed(api: Api) -> None:
    for body in crd.gateway_api():
        answer = api.post(DEFINITIONS, body)
        assert answer.status == 201, answer.body
    route = {"metadata": {"name": "r"}, "spec": {"parentRefs": [{"name": "g"}]}}
    made = api.post("/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes", route)
    assert made.status == 201, made.body
    assert made.body["spec"]["parentRefs"][0]["kind"] == "Gateway"
    both = {"filters": [{"type": "RequestRedirect"}], "backendRefs": [{"name": "s", "port": 80}]}
    bad = {"metadata": {"name": "b"}, "spec": {"rules": [both]}}
    refused = api.post("/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes", bad)
    assert refused.status == 422, refused.body


def test_versions_are_ordered_by_stability() -> None:
    versions = ["v1alpha1", "foo", "v1", "v2beta1", "v10", "v1beta2"]
    assert sorted(versions, key=version_order) == ["v10", "v1", "v2beta1", "v1beta2", "v1alpha1", "foo"]


def test_pruning_keeps_what_is_declared_or_preserved() -> None:
    schema = {
        "type": "object",
        "properties": {
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {}}}},
        },
    }
    obj = {"free": {"x": {"y": 1}}, "map": {"k": {"a": 1, "b": 2}}, "other": 1}
    found = crd_schema.decode(obj, schema)
    assert found.object == {"free": {"x": {"y": 1}}, "map": {"k": {"a": 1}}}
    assert found.strict == ['unknown field "map.k.b"', 'unknown field "other"']


def test_defaults_reach_into_lists_and_replace_nulls() -> None:
    items = {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}
    schema = {"type": "object", "properties": {"l": {"type": "array", "items": items}}}
    obj: Object = {"l": [{}, {"a": None}, {"a": 2}]}
    crd_schema.default(obj, schema)
    assert obj == {"l": [{"a": 1}, {"a": 1}, {"a": 2}]}


@pytest.mark.parametrize(
    ("value", "schema", "faults"),
    [
        ("x", {"type": "integer"}, ['f: Invalid value: "string": f in body must be of type integer: "string"']),
        (1.0, {"type": "integer"}, []),
        (1, {"type": "number", "maximum": 0.5}, ["f: Invalid value: 1: f in body should be less than or equal to 0"]),
        ("ab", {"type": "string", "maxLength": 1}, ["f: Too long: may not be more than 1 byte"]),
        ("ab", {"type": "string", "pattern": "^a$"}, ['f: Invalid value: "ab": f in body should match \'^a$\'']),
        ([1, 2], {"type": "array", "maxItems": 1}, ["f: Too many: 2: must have at most 1 item"]),
        ({}, {"type": "object", "required": ["a"]}, ["f.a: Required value"]),
        (True, {"x-kubernetes-int-or-string": True}, [
            'f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"'
        ]),
        (None, {"type": "string", "nullable": True}, []),
        ("x", {"type": "string", "format": "ipv4"}, ['f: Invalid value: "x": f in body must be of type ipv4: "x"']),
        (3, {"not": {"enum": [3]}}, ['<nil>: Invalid value: "": "f" must not validate the schema (not)']),
    ],
)  # fmt: skip
def test_values_are_faulted_in_the_words_of_the_validator(value: Any, schema: Object, faults: list[str]) -> None:
    assert [str(fault) for fault in crd_values.validate(value, schema, "f")] == faults


def test_what_did_not_change_is_not_faulted() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    assert not crd_values.validate({"a": "x", "b": 1}, schema, "", {"a": "x"})
    assert crd_values.validate({"a": "y"}, schema, "", {"a": "x"})


def test_items_of_a_map_list_may_not_repeat() -> None:
    faults = crd_values.list_types({"parts": [{"name": "a"}, {"name": "a"}]}, SPEC)
    assert [str(fault) for fault in faults] == ['parts[1]: Duplicate value: {"name":"a"}']


def test_a_schema_must_be_structural() -> None:
    nested = {"type": "object", "anyOf": [{"type": "string"}], "properties": {"a": {"type": "array"}}}
    texts = [str(fault) for fault in crd_structural.validate(nested, "s")]
    assert texts == [
        "s.anyOf[0].type: Forbidden: must be empty to be structural",
        "s.properties[a].items: Required value: must be specified",
    ]
