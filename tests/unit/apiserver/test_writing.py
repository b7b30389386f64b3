"""Creating, replacing and patching: names, versions, dry runs, unknown fields."""

from __future__ import annotations

from typing import Any

import pytest

from unit.apiserver.serving import JSON_PATCH, MERGE, STRATEGIC, Api, to_json

MAPS = "/api/v1/namespaces/default/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


class TestCreate:
    def test_the_server_fills_in_its_part(self, api: Api) -> None:
        meta = api.config_map("m", uid="mine", creationTimestamp="1999-01-01T00:00:00Z", selfLink="x")["metadata"]
        assert meta["creationTimestamp"] == "2026-01-01T00:00:00Z"
        assert meta["uid"] != "mine"
        assert meta["namespace"] == "default"
        assert "selfLink" not in meta

    def test_names_are_generated(self, api: Api) -> None:
        first, second = (api.post(MAPS, {"metadata": {"generateName": "m-"}}).body["metadata"] for _ in range(2))
        assert first["name"].startswith("m-")
        assert len(first["name"]) == len("m-") + 5
        assert first["name"] != second["name"]

    def test_a_name_is_taken_once(self, api: Api) -> None:
        api.config_map("m")
        answer = api.post(MAPS, {"metadata": {"name": "m"}})
        assert (answer.status, answer.body["message"]) == (409, 'configmaps "m" already exists')

    def test_a_name_that_is_being_deleted_is_still_taken(self, api: Api) -> None:
        api.config_map("m", finalizers=["example.com/hold"])
        api.delete(f"{MAPS}/m")
        message = api.post(MAPS, {"metadata": {"name": "m"}}).body["message"]
        assert message == 'object is being deleted: configmaps "m" already exists'

    def test_the_namespace_must_be_the_one_of_the_path_and_exist(self, api: Api) -> None:
        assert api.post(MAPS, {"metadata": {"name": "m", "namespace": "other"}}).status == 400
        answer = api.post("/api/v1/namespaces/ghost/configmaps", {"metadata": {"name": "m"}})
        assert (answer.status, answer.body["details"]["kind"]) == (404, "namespaces")

    def test_a_dry_run_stores_nothing(self, api: Api) -> None:
        before = api.store.revision
        answer = api.post(MAPS, {"metadata": {"name": "m"}}, dryRun="All")
        assert answer.status == 201
        assert "resourceVersion" not in answer.body["metadata"]
        assert api.store.revision == before

    @pytest.mark.parametrize(("mode", "status"), [("Strict", 400), ("Warn", 201), ("Ignore", 201)])
    def test_unknown_fields(self, api: Api, mode: str, status: int) -> None:
        body = to_json({"metadata": {"name": "m"}, "dta": {}})
        answer = api.post(MAPS, body, type="application/json", fieldValidation=mode)
        assert answer.status == status
        assert answer.warnings == (['unknown field "dta"'] if mode == "Warn" else [])
        assert "dta" not in answer.body

    def test_objects_of_this_process_are_not_changed(self, api: Api) -> None:
        mine: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        assert api.post("/api/v1/namespaces/default/pods", mine).status == 201
        assert mine == {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


class TestUpdate:
    def test_a_stale_version_is_a_conflict(self, api: Api) -> None:
        stale = api.config_map("m")
        api.patch(f"{MAPS}/m", {"data": {"x": "1"}})
        answer = api.put(f"{MAPS}/m", stale)
        assert (answer.status, answer.body["reason"]) == (409, "Conflict")
        assert "the object has been modified" in answer.body["message"]

    def test_writing_the_same_makes_no_new_version(self, api: Api) -> None:
        stored = api.config_map("m")
        before = api.store.revision
        assert api.put(f"{MAPS}/m", stored).body is stored
        assert api.store.revision == before

    def test_what_only_the_server_sets_stays(self, api: Api) -> None:
        old = api.config_map("m")["metadata"]
        new = api.put(f"{MAPS}/m", {"metadata": {"name": "m", "creationTimestamp": None}, "data": {}}).body["metadata"]
        assert (new["uid"], new["creationTimestamp"]) == (old["uid"], old["creationTimestamp"])

    def test_another_uid_is_a_failed_precondition(self, api: Api) -> None:
        api.config_map("m")
        answer = api.put(f"{MAPS}/m", {"metadata": {"name": "m", "uid": "other"}})
        assert answer.status == 409
        assert "Precondition failed: UID in precondition: other" in answer.body["message"]

    def test_some_kinds_must_say_what_they_read(self, api: Api) -> None:
        api.post(LEASES, {"metadata": {"name": "l"}})
        answer = api.put(f"{LEASES}/l", {"metadata": {"name": "l"}})
        assert answer.status == 422
        assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in answer.body["message"]

    def test_some_kinds_are_created_by_put(self, api: Api) -> None:
        assert api.put(f"{LEASES}/l", {"metadata": {"name": "l"}}).status == 201
        assert api.put(f"{MAPS}/m", {"metadata": {"name": "m"}}).status == 404

    def test_the_name_is_the_one_of_the_path(self, api: Api) -> None:
        api.config_map("m")
        assert api.put(f"{MAPS}/m", {"metadata": {"name": "n"}}).status == 400
        assert api.put(f"{MAPS}/m", {"metadata": {}}).status == 400


class TestPatch:
    def test_every_kind_of_patch(self, api: Api) -> None:
        api.config_map("m")
        api.patch(f"{MAPS}/m", {"data": {"a": "1"}}, MERGE)
        api.patch(f"{MAPS}/m", {"data": {"b": "2"}}, STRATEGIC)
        api.patch(f"{MAPS}/m", [{"op": "add", "path": "/data/c", "value": "3"}], JSON_PATCH)
        apply = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"d": "4"}}
        api.patch(f"{MAPS}/m", apply, "application/apply-patch+yaml", fieldManager="me")
        assert api.get(f"{MAPS}/m").body["data"] == {"k": "v", "a": "1", "b": "2", "c": "3", "d": "4"}

    def test_apply_creates(self, api: Api) -> None:
        apply = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"d": "4"}}
        answer = api.patch(f"{MAPS}/m", apply, "application/apply-patch+yaml", fieldManager="me")
        assert answer.status == 201
        (entry,) = answer.body["metadata"]["managedFields"]
        assert (entry["manager"], entry["operation"]) == ("me", "Apply")

    def test_apply_needs_a_manager_and_force_needs_apply(self, api: Api) -> None:
        answer = api.patch(f"{MAPS}/m", {}, "application/apply-patch+yaml")
        assert "fieldManager: Required value: is required for apply patch" in answer.body["message"]
        answer = api.patch(f"{MAPS}/m", {}, MERGE, force="true")
        assert "force: Forbidden: may not be specified for non-apply patch" in answer.body["message"]

    def test_a_version_in_a_patch_is_a_precondition(self, api: Api) -> None:
        version = api.config_map("m")["metadata"]["resourceVersion"]
        api.patch(f"{MAPS}/m", {"data": {"a": "1"}})
        answer = api.patch(f"{MAPS}/m", {"metadata": {"resourceVersion": version}, "data": {"a": "2"}})
        assert answer.status == 409

    def test_it_cannot_make_another_object_of_it(self, api: Api) -> None:
        api.config_map("m")
        assert api.patch(f"{MAPS}/m", {"metadata": {"name": "n"}}).status == 400
        assert api.patch(f"{MAPS}/m", {"kind": "Secret"}).status == 400
        assert api.patch(f"{MAPS}/m", {"metadata": {"uid": "x"}}).status == 422

    def test_managers_are_told_by_their_user_agent(self, api: Api) -> None:
        api.config_map("m")
        agent = {"user-agent": "kubectl/v1.37 (linux/amd64)"}
        body = api.patch(f"{MAPS}/m", {"data": {"x": "1"}}, headers=agent).body
        assert "kubectl" in [entry["manager"] for entry in body["metadata"]["managedFields"]]
