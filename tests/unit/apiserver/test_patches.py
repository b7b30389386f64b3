"""The patch formats, as functions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.apiserver.patch.jsonpatch import JsonPatchError, json_patch
from minik8s.apiserver.patch.merge import merge_patch
from minik8s.apiserver.patch.schema import patch_schema
from minik8s.apiserver.patch.strategic import BadPatch, PatchFailed, strategic_merge
from minik8s.apiserver.patch.unstructured import conversion_error
from minik8s.objects import freeze
from minik8s.objects.kinds import BUILTIN, Kind

POD: Kind = BUILTIN.by_kind("v1", "Pod")  # type: ignore[assignment]
DEPLOYMENT: Kind = BUILTIN.by_kind("apps/v1", "Deployment")  # type: ignore[assignment]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
json_objects = st.dictionaries(st.text(max_size=3), json_values, max_size=4)


def smp(original: Any, patch: Any, kind: Kind = POD) -> Any:
    return strategic_merge(freeze(original), patch, patch_schema(kind))


class TestMergePatch:
    def test_null_removes_and_maps_merge(self) -> None:
        assert merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 9}}) == {"b": {"c": 9, "d": 3}}

    def test_lists_are_replaced(self) -> None:
        assert merge_patch({"l": [1, 2]}, {"l": [3]}) == {"l": [3]}

    def test_what_is_not_named_stays_the_same_object(self) -> None:
        old = freeze({"spec": {"x": 1}, "status": {"y": 2}})
        assert merge_patch(old, {"status": {"y": 3}})["spec"] is old["spec"]

    @given(json_objects, json_objects)
    def test_applying_twice_changes_nothing_more(self, original: Any, patch: Any) -> None:
        once = merge_patch(original, patch)
        assert merge_patch(once, patch) == once


class TestJsonPatch:
    def test_every_operation(self) -> None:
        document = {"a": 1, "l": [1, 2], "m": {"x/y": 5}}
        changed = json_patch(
            document,
            [
                {"op": "test", "path": "/a", "value": 1},
                {"op": "add", "path": "/l/1", "value": 9},
                {"op": "add", "path": "/l/-", "value": 3},
                {"op": "replace", "path": "/a", "value": 2},
                {"op": "copy", "from": "/m/x~1y", "path": "/c"},
                {"op": "move", "from": "/c", "path": "/d"},
                {"op": "remove", "path": "/m/x~1y"},
            ],
        )
        assert changed == {"a": 2, "l": [1, 9, 2, 3], "m": {}, "d": 5}
        assert document == {"a": 1, "l": [1, 2], "m": {"x/y": 5}}

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/a", "value": 2},
            {"op": "remove", "path": "/nope"},
            {"op": "replace", "path": "/nope", "value": 1},
            {"op": "add", "path": "/l/7", "value": 1},
            {"op": "jump", "path": "/a"},
            {"op": "add", "path": "/a"},
            {"op": "copy", "path": "/b"},
            {"op": "add"},
        ],
    )
    def test_what_cannot_be_done(self, operation: Any) -> None:
        with pytest.raises(JsonPatchError):
            json_patch({"a": 1, "l": []}, [operation])


class TestStrategicMergePatch:
    CONTAINERS = [{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "b:1"}]

    def test_containers_merge_by_name_and_environment_by_name(self) -> None:
        change = {"containers": [{"name": "a", "image": "a:2", "env": [{"name": "Y", "value": "2"}]}]}
        merged = smp({"spec": {"containers": self.CONTAINERS}}, {"spec": change})
        assert [c["image"] for c in merged["spec"]["containers"]] == ["a:2", "b:1"]
        assert {e["name"] for e in merged["spec"]["containers"][0]["env"]} == {"X", "Y"}

    def test_delete_and_replace_directives(self) -> None:
        old = {"spec": {"containers": self.CONTAINERS}}
        gone = smp(old, {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}})
        assert [c["name"] for c in gone["spec"]["containers"]] == ["b"]
        new = smp(old, {"spec": {"containers": [{"$patch": "replace"}, {"name": "c", "image": "c"}]}})
        assert new["spec"]["containers"] == [{"name": "c", "image": "c"}]
        labels = smp({"metadata": {"labels": {"x": "1"}}}, {"metadata": {"labels": {"$patch": "replace", "y": "2"}}})
        assert labels["metadata"]["labels"] == {"y": "2"}

    def test_retain_keys_drops_the_others(self) -> None:
        old = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
        new = smp(old, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}, DEPLOYMENT)
        assert new["spec"]["strategy"] == {"type": "Recreate"}

    def test_retain_keys_must_name_what_the_patch_sets(self) -> None:
        with pytest.raises(BadPatch):
            smp(
                {"spec": {}},
                {"spec": {"strategy": {"$retainKeys": ["x"], "type": "Recreate"}}} | {"$retainKeys": ["y"]},
            )

    def test_element_order_is_set(self) -> None:
        change = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": []}
        merged = smp({"spec": {"containers": self.CONTAINERS}}, {"spec": change})
        assert [c["name"] for c in merged["spec"]["containers"]] == ["b", "a"]

    def test_finalizers_merge_as_a_set_and_can_be_deleted_from(self) -> None:
        old = {"metadata": {"finalizers": ["a", "b"]}}
        assert smp(old, {"metadata": {"finalizers": ["c"]}})["metadata"]["finalizers"] == ["c", "a", "b"]
        change = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
        assert smp(old, change)["metadata"]["finalizers"] == ["b"]

    def test_lists_without_a_merge_strategy_are_replaced(self) -> None:
        old = {"spec": {"tolerations": [{"key": "a"}]}}
        assert smp(old, {"spec": {"tolerations": [{"key": "b"}]}})["spec"]["tolerations"] == [{"key": "b"}]

    def test_an_item_without_its_merge_key_is_refused(self) -> None:
        with pytest.raises(PatchFailed, match=r"map: map\[image:x\] does not contain declared merge key: name"):
            smp({"spec": {"containers": self.CONTAINERS}}, {"spec": {"containers": [{"image": "x"}]}})

    def test_untouched_parts_are_shared(self) -> None:
        old = freeze({"spec": {"containers": self.CONTAINERS}, "status": {}})
        assert strategic_merge(old, {"status": {"phase": "Running"}}, patch_schema(POD))["spec"] is old["spec"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"replicas": "many"}, "unrecognized type: int32"),
        ({"replicas": 1.5}, "cannot convert float64 to int32"),
        ({"paused": "yes"}, "unrecognized type: bool"),
        ({"selector": []}, "cannot restore struct from: slice"),
        ({"template": {"metadata": {"labels": "x"}}}, "cannot restore map from string"),
        ({"template": {"spec": {"containers": {}}}}, "cannot restore slice from map"),
        ({"replicas": 3}, ""),
    ],
)
def test_faults_of_a_strategic_patch_have_the_converters_words(spec: Any, why: str) -> None:
    assert conversion_error(DEPLOYMENT, {"spec": spec}) == why
