"""managedFields: who owns which field after each write."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver import managedfields
from minik8s.apiserver.fieldset import contains, difference, from_path, intersection, path_text, paths, union
from minik8s.objects import freeze
from minik8s.objects.kinds import BUILTIN, Kind

NOW = 1767225600.0


def kind(name: str) -> Kind:
    found = BUILTIN.by_name(name)
    assert found is not None
    return found


CONFIG_MAPS = kind("configmaps")


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def owners(obj: dict[str, Any]) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", [])}


def created(**data: str) -> dict[str, Any]:
    out = managedfields.track(CONFIG_MAPS, None, config_map(**data), "maker", "", NOW)
    stored: dict[str, Any] = freeze(out)
    return stored


def test_the_creator_owns_everything_it_set() -> None:
    assert owners(created(x="1")) == {"maker": {"f:data": {".": {}, "f:x": {}}}}
    entry = created(x="1")["metadata"]["managedFields"][0]
    assert (entry["operation"], entry["apiVersion"], entry["time"]) == ("Update", "v1", "2026-01-01T00:00:00Z")


def test_whoever_changes_a_field_owns_it() -> None:
    old = created(x="1", y="1")
    new = managedfields.track(CONFIG_MAPS, old, {**old, "data": {"x": "2", "y": "1"}}, "other", "", NOW + 1)
    assert owners(new) == {"maker": {"f:data": {".": {}, "f:y": {}}}, "other": {"f:data": {"f:x": {}}}}


def test_a_field_that_is_removed_has_no_owner() -> None:
    old = created(x="1", y="1")
    new = managedfields.track(CONFIG_MAPS, old, {**old, "data": {"x": "1"}}, "other", "", NOW + 1)
    assert owners(new) == {"maker": {"f:data": {".": {}, "f:x": {}}}}


def test_a_write_that_changes_nothing_keeps_times_and_entries() -> None:
    old = created(x="1")
    new = managedfields.track(CONFIG_MAPS, old, {**old, "data": {"x": "1"}}, "other", "", NOW + 9)
    assert new["metadata"]["managedFields"] is old["metadata"]["managedFields"]


def test_the_same_manager_keeps_one_entry_per_subresource() -> None:
    pods = kind("pods")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "uid": "1"},
        "spec": {"containers": [{"name": "a", "image": "i"}]},
    }
    old = freeze(managedfields.track(pods, None, pod, "m", "", NOW))
    new = managedfields.track(pods, old, {**old, "status": {"phase": "Running"}}, "m", "status", NOW + 1)
    assert [entry.get("subresource", "") for entry in new["metadata"]["managedFields"]] == ["", "status"]
    spec = old["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
    assert spec["f:containers"]['k:{"name":"a"}']["."] == {}
    assert "." not in spec["f:containers"], "what Go always writes is not owned itself"


def test_a_status_write_does_not_own_spec() -> None:
    pods = kind("pods")
    old = freeze({"metadata": {"name": "p", "managedFields": []}, "spec": {"containers": []}})
    new = {**old, "metadata": {"name": "p", "managedFields": []}, "spec": {"nodeName": "n"}, "status": {"phase": "x"}}
    managed: managedfields.Managed = {}
    who = managedfields.manager_of("m", "Update", "v1", "status")
    managedfields.update(pods, old, new, managed, who, NOW)
    assert managed[who].fields == {"f:status": {"f:phase": {}}}


def test_a_client_may_reset_managed_fields() -> None:
    old = created(x="1")
    reset = {**old, "metadata": {**old["metadata"], "managedFields": [{}]}}
    assert "managedFields" not in managedfields.track(CONFIG_MAPS, old, reset, "other", "", NOW)["metadata"]


def test_objects_that_nobody_tracked_stay_untracked() -> None:
    old = freeze(config_map(x="1"))
    new = managedfields.track(CONFIG_MAPS, old, config_map(x="2"), "other", "", NOW)
    assert "managedFields" not in new["metadata"]


def test_more_than_ten_updaters_are_merged_into_one() -> None:
    obj = created(x="0")
    for number in range(12):
        data = {**obj["data"], f"k{number}": "1"}
        obj = freeze(managedfields.track(CONFIG_MAPS, obj, {**obj, "data": data}, f"m{number:02}", "", NOW + number))
    names = [entry["manager"] for entry in obj["metadata"]["managedFields"]]
    assert len(names) == 10
    assert "ancient-changes" in names


def test_entries_are_in_order_of_operation_and_time() -> None:
    managed = managedfields.decode(
        [
            {"manager": "b", "operation": "Update", "apiVersion": "v1", "time": "2", "fieldsV1": {"f:a": {}}},
            {"manager": "a", "operation": "Update", "apiVersion": "v1", "time": "1", "fieldsV1": {"f:b": {}}},
            {"manager": "z", "operation": "Apply", "apiVersion": "v1", "time": "3", "fieldsV1": {"f:c": {}}},
        ]
    )
    assert managed is not None
    assert [entry["manager"] for entry in managedfields.encode(managed)] == ["z", "a", "b"]


def test_field_sets_are_sets() -> None:
    a, ab, c = from_path(("f:a",)), from_path(("f:a", "f:b")), from_path(("f:c",))
    both = union(a, ab)
    assert both == {"f:a": {".": {}, "f:b": {}}}
    assert union(both, ab) is both
    assert difference(both, a) == ab
    assert difference(both, a, recursive=True) == {}
    assert difference(ab, a) is ab
    assert intersection(both, union(ab, c)) == ab
    assert contains(both, ("f:a",)) and not contains(ab, ("f:a",))
    assert list(paths(union(both, c))) == [("f:a",), ("f:c",), ("f:a", "f:b")]


def test_paths_are_written_as_messages_show_them() -> None:
    path = ("f:spec", 'k:{"containerPort":80,"protocol":"TCP"}', 'v:"x"', "i:0")
    assert path_text(path) == '.spec[containerPort=80,protocol="TCP"][="x"][0]'
