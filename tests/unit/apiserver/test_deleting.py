"""Deletion: grace, finalizers, propagation, preconditions."""

from __future__ import annotations

import pytest

from unit.apiserver.serving import Api

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


def test_it_answers_a_status_or_the_object_as_the_kind_does(api: Api) -> None:
    uid = api.config_map("m")["metadata"]["uid"]
    answer = api.delete(f"{MAPS}/m").body
    assert answer["details"] == {"name": "m", "kind": "configmaps", "uid": uid}
    api.pod("p")
    assert api.delete(f"{PODS}/p").body["kind"] == "Pod"


def test_a_pod_on_a_node_is_given_time(api: Api) -> None:
    api.pod("p", nodeName="n", terminationGracePeriodSeconds=20)
    first = api.delete(f"{PODS}/p").body["metadata"]
    assert (first["deletionGracePeriodSeconds"], first["deletionTimestamp"]) == (20, "2026-01-01T00:00:20Z")
    longer = api.delete(f"{PODS}/p", {"gracePeriodSeconds": 60}).body["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 20
    shorter = api.delete(f"{PODS}/p", {"gracePeriodSeconds": 5}).body["metadata"]
    assert (shorter["deletionGracePeriodSeconds"], shorter["deletionTimestamp"]) == (5, "2026-01-01T00:00:05Z")
    api.delete(f"{PODS}/p", {"gracePeriodSeconds": 0})
    assert api.get(f"{PODS}/p").status == 404


def test_a_pod_without_a_node_goes_at_once(api: Api) -> None:
    api.pod("p")
    api.delete(f"{PODS}/p")
    assert api.get(f"{PODS}/p").status == 404


def test_finalizers_hold_an_object_until_the_last_is_gone(api: Api) -> None:
    api.config_map("m", finalizers=["example.com/a", "example.com/b"])
    held = api.delete(f"{MAPS}/m").body
    assert held["metadata"]["deletionTimestamp"]
    api.patch(f"{MAPS}/m", {"metadata": {"finalizers": ["example.com/a"]}})
    assert api.get(f"{MAPS}/m").status == 200
    last = api.patch(f"{MAPS}/m", {"metadata": {"finalizers": None}})
    assert last.status == 200
    assert api.get(f"{MAPS}/m").status == 404


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_propagation_asks_the_garbage_collector_by_a_finalizer(api: Api, policy: str, finalizer: str) -> None:
    api.config_map("m")
    assert api.delete(f"{MAPS}/m", {"propagationPolicy": policy}).body["metadata"]["finalizers"] == [finalizer]


def test_jobs_keep_their_pods_unless_told_and_say_so(api: Api) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    path = "/apis/batch/v1/namespaces/default/jobs"
    for name in ("a", "b"):
        assert api.post(path, {"metadata": {"name": name}, "spec": {"template": template}}).status == 201
    answer = api.delete(f"{path}/a")
    assert answer.warnings[0].startswith("child pods are preserved by default when jobs are deleted")
    assert answer.body["metadata"]["finalizers"] == ["orphan"]
    assert api.delete(f"{path}/b", {"propagationPolicy": "Background"}).warnings == []
    assert api.get(f"{path}/b").status == 404


def test_preconditions(api: Api) -> None:
    meta = api.config_map("m")["metadata"]
    assert api.delete(f"{MAPS}/m", {"preconditions": {"uid": "other"}}).status == 409
    assert api.delete(f"{MAPS}/m", {"preconditions": {"resourceVersion": "1"}}).status == 409
    wanted = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    assert api.delete(f"{MAPS}/m", {"preconditions": wanted}).status == 200


def test_a_dry_run_deletes_nothing(api: Api) -> None:
    api.config_map("m")
    before = api.store.revision
    assert api.delete(f"{MAPS}/m", dryRun="All").status == 200
    assert api.store.revision == before


def test_a_collection_by_selector(api: Api) -> None:
    for name in ("a", "b", "c"):
        api.config_map(name, labels={"n": name})
    answer = api.delete(MAPS, labelSelector="n in (a,b)")
    assert [item["metadata"]["name"] for item in answer.body["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in api.get(MAPS).body["items"]] == ["c"]


def test_a_namespace_waits_for_its_finalizer(api: Api) -> None:
    api.post("/api/v1/namespaces", {"metadata": {"name": "n"}})
    answer = api.delete("/api/v1/namespaces/n").body
    assert answer["status"]["phase"] == "Terminating"
    again = api.delete("/api/v1/namespaces/n").body
    assert again["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]
    finalized = {**again, "spec": {}}
    assert api.put("/api/v1/namespaces/n/finalize", finalized).status == 200
    assert api.get("/api/v1/namespaces/n").status == 404
    assert api.delete("/api/v1/namespaces/default").status == 403


def test_the_classes_of_the_system_stay(api: Api) -> None:
    """``pkg/registry/scheduling/priorityclass/storage/storage.go``."""
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    api.post(classes, {"metadata": {"name": "system-node-critical"}, "value": 2000001000})
    answer = api.delete(f"{classes}/system-node-critical")
    assert (answer.status, answer.body["message"]) == (403, (
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and'
        " cannot be deleted"))
