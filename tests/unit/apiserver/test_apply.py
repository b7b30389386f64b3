"""Server-side apply: merging, ownership, conflicts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minik8s.apiserver import managedfields
from minik8s.apiserver.apply import LAST_APPLIED, server_side_apply
from minik8s.objects import freeze
from minik8s.objects.kinds import BUILTIN, Kind
from minik8s.wire import StatusError

NOW = 1767225600.0
Object = dict[str, Any]


def kind(name: str) -> Kind:
    found = BUILTIN.by_name(name)
    assert found is not None
    return found


CONFIG_MAPS, DEPLOYMENTS, SERVICES = kind("configmaps"), kind("deployments.apps"), kind("services")


def config_map(**data: str) -> Object:
    out: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    return {**out, "data": data} if data else out


def apply(live: Object | None, patch: Object, who: str, force: bool = False, of: Kind = CONFIG_MAPS) -> Object:
    stored: Object = freeze(server_side_apply(of, live, patch, who, force, "", NOW))
    return stored


def owners(obj: Object) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", [])}


def deployment(containers: list[Object], **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {**spec, "template": {"spec": {"containers": containers}}},
    }


def test_an_applier_owns_the_leaves_it_names() -> None:
    assert owners(apply(None, config_map(x="1"), "alice")) == {"alice": {"f:data": {"f:x": {}}}}


def test_what_is_no_longer_applied_goes() -> None:
    first = apply(None, config_map(x="1", y="2"), "alice")
    second = apply(first, config_map(y="2"), "alice")
    assert second["data"] == {"y": "2"}
    assert "data" not in apply(second, config_map(), "alice")


def test_what_another_manager_owns_too_stays() -> None:
    both = apply(apply(None, config_map(x="1"), "alice"), config_map(x="1"), "bob")
    alone = apply(both, config_map(), "alice")
    assert alone["data"] == {"x": "1"}
    assert set(owners(alone)) == {"bob"}


def test_another_owners_field_is_a_conflict_and_force_takes_it() -> None:
    live = apply(None, config_map(x="1", y="1"), "alice")
    with pytest.raises(StatusError) as caught:
        apply(live, config_map(x="2", y="2"), "bob")
    assert caught.value.code == 409
    assert caught.value.message == 'Apply failed with 2 conflicts: conflicts with "alice":\n- .data.x\n- .data.y'
    assert caught.value.details is not None
    assert caught.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "alice"',
        "field": ".data.x",
    }
    forced = apply(live, config_map(x="2"), "bob", force=True)
    assert owners(forced) == {"alice": {"f:data": {"f:y": {}}}, "bob": {"f:data": {"f:x": {}}}}


def test_applying_the_same_again_changes_nothing() -> None:
    live = apply(None, config_map(x="1"), "alice")
    assert server_side_apply(CONFIG_MAPS, live, config_map(x="1"), "alice", False, "", NOW + 60) is live


def test_list_items_are_merged_by_their_keys() -> None:
    live = apply(None, deployment([{"name": "a", "image": "a:1"}]), "alice", of=DEPLOYMENTS)
    both = apply(live, deployment([{"name": "b", "image": "b:1"}]), "bob", of=DEPLOYMENTS)
    containers = both["spec"]["template"]["spec"]["containers"]
    assert [item["name"] for item in containers] == ["a", "b"]
    rest = apply(both, deployment([]), "bob", of=DEPLOYMENTS)
    assert [item["name"] for item in rest["spec"]["template"]["spec"]["containers"]] == ["a"]


def test_the_order_of_the_applied_list_wins_among_shared_items() -> None:
    items = [{"name": name, "image": "i"} for name in "abc"]
    live = apply(None, deployment(items), "alice", of=DEPLOYMENTS)
    again = apply(live, deployment([items[2], items[0], items[1]]), "alice", of=DEPLOYMENTS)
    assert [item["name"] for item in again["spec"]["template"]["spec"]["containers"]] == ["c", "a", "b"]


def test_a_missing_list_key_is_its_default() -> None:
    patch: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}]},
    }
    fields = owners(apply(None, patch, "alice", of=SERVICES))["alice"]
    assert list(fields["f:spec"]["f:ports"]) == ['k:{"port":80,"protocol":"TCP"}']


def test_atomic_maps_have_one_owner() -> None:
    patch = deployment([], selector={"matchLabels": {"app": "web"}})
    live = apply(None, patch, "alice", of=DEPLOYMENTS)
    assert owners(live)["alice"]["f:spec"]["f:selector"] == {}
    with pytest.raises(StatusError) as caught:
        apply(live, deployment([], selector={"matchLabels": {"tier": "x"}}), "bob", of=DEPLOYMENTS)
    assert "conflict with \"alice\": .spec.selector" in caught.value.message


def test_an_object_nobody_tracked_belongs_to_before_first_apply() -> None:
    live = freeze(config_map(x="1"))
    assert set(owners(apply(live, config_map(y="1"), "alice"))) == {"alice", "before-first-apply"}


def test_updaters_are_named_with_their_version() -> None:
    live = freeze(managedfields.track(CONFIG_MAPS, None, config_map(x="1"), "kubectl-create", "", NOW))
    with pytest.raises(StatusError) as caught:
        apply(live, config_map(x="2"), "alice")
    assert caught.value.message.endswith('conflict with "kubectl-create" using v1: .data.x')


def test_kubectl_may_take_over_from_client_side_apply() -> None:
    last = config_map(x="1")
    obj = {**config_map(x="1"), "metadata": {"name": "a", "annotations": {LAST_APPLIED: json.dumps(last)}}}
    live = freeze(managedfields.track(CONFIG_MAPS, None, obj, "kubectl-client-side-apply", "", NOW))
    result = apply(live, config_map(x="2"), "kubectl")
    assert result["data"] == {"x": "2"}
    assert json.loads(result["metadata"]["annotations"][LAST_APPLIED])["data"] == {"x": "2"}


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ({"data": {}}, 400, "invalid object type: /, Kind="),
        ({**config_map(), "apiVersion": "v2"}, 400, "invalid object type: /v2, Kind=ConfigMap"),
        (
            {**config_map(), "metadata": {"name": "a", "managedFields": []}},
            400,
            "metadata.managedFields must be nil",
        ),
        (
            {**config_map(), "foo": 1},
            500,
            "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in schema",
        ),
        (
            {**config_map(), "data": {"x": 1}},
            500,
            "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
            ".data.x: expected string, got &value.valueUnstructured{Value:1}",
        ),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(patch: Object, code: int, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        apply(None, patch, "alice")
    assert (caught.value.code, caught.value.message) == (code, message)
