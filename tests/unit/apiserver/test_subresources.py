"""status, scale, binding, eviction and what a kubelet serves."""

from __future__ import annotations

from typing import Any

from minik8s.objects import Object
from minik8s.store import Key
from minik8s.wire import Request, Response
from unit.apiserver.serving import STRATEGIC, Api

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def deployment(api: Api, replicas: int = 2) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    answer = api.post(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec})
    assert answer.status == 201, answer.body
    return answer.body


class TestStatus:
    def test_each_half_is_written_by_its_own_endpoint(self, api: Api) -> None:
        deployment(api)
        change = {"spec": {"replicas": 9}, "status": {"replicas": 1, "observedGeneration": 1}}
        api.patch(f"{DEPLOYMENTS}/web/status", change)
        obj = api.get(f"{DEPLOYMENTS}/web").body
        assert (obj["spec"]["replicas"], obj["status"]["replicas"]) == (2, 1)
        api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}, "status": {"replicas": 7}})
        obj = api.get(f"{DEPLOYMENTS}/web").body
        assert (obj["spec"]["replicas"], obj["status"]["replicas"], obj["metadata"]["generation"]) == (3, 1, 2)

    def test_writing_the_same_again_makes_no_new_version(self, api: Api) -> None:
        api.pod("p")
        first = api.patch(f"{PODS}/p/status", {"status": {"phase": "Running"}}, STRATEGIC).body
        second = api.patch(f"{PODS}/p/status", {"status": {"phase": "Running"}}, STRATEGIC).body
        assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]

    def test_the_spec_stays_the_stored_object(self, api: Api) -> None:
        spec = api.pod("p")["spec"]
        assert api.patch(f"{PODS}/p/status", {"status": {"phase": "Running"}}).body["spec"] is spec


class TestScale:
    def test_reading_and_writing(self, api: Api) -> None:
        deployment(api)
        scale = api.get(f"{DEPLOYMENTS}/web/scale").body
        assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
        assert api.put(f"{DEPLOYMENTS}/web/scale", {**scale, "spec": {"replicas": 5}}).body["spec"] == {"replicas": 5}
        assert api.get(f"{DEPLOYMENTS}/web").body["spec"]["replicas"] == 5
        assert api.put(f"{DEPLOYMENTS}/web/scale", {**scale, "spec": {"replicas": 1}}).status == 409

    def test_negative_numbers_are_refused(self, api: Api) -> None:
        deployment(api)
        answer = api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}})
        assert answer.status == 422
        assert answer.body["details"]["kind"] == "Scale"


class TestBinding:
    def bind(self, api: Api, name: str, **meta: Any) -> Response:
        target = {"kind": "Node", "name": "n"}
        return api.post(f"{PODS}/{name}/binding", {"metadata": {"name": name, **meta}, "target": target})

    def test_once(self, api: Api) -> None:
        api.pod("p")
        assert self.bind(api, "p", annotations={"by": "me"}).status == 201
        pod = api.get(f"{PODS}/p").body
        assert (pod["spec"]["nodeName"], pod["metadata"]["annotations"]) == ("n", {"by": "me"})
        assert [(c["type"], c["status"]) for c in pod["status"]["conditions"]] == [("PodScheduled", "True")]
        again = self.bind(api, "p")
        assert again.body["message"].endswith('pod p is already assigned to node "n"')

    def test_not_a_gated_pod(self, api: Api) -> None:
        api.pod("p", schedulingGates=[{"name": "example.com/wait"}])
        assert self.bind(api, "p").status == 409


class TestEviction:
    def evict(self, api: Api, name: str, **options: Any) -> Response:
        return api.post(f"{PODS}/{name}/eviction", {"metadata": {"name": name}, "deleteOptions": options})

    def budget(self, api: Api, allowed: int) -> None:
        api.pod("p")
        api.patch(f"{PODS}/p", {"metadata": {"labels": {"app": "web"}}})
        ready = [{"type": "Ready", "status": "True"}]
        api.patch(f"{PODS}/p/status", {"status": {"phase": "Running", "conditions": ready}})
        path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
        made = api.post(path, {"metadata": {"name": "b"}, "spec": spec}).body
        status = {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
        status["observedGeneration"] = made["metadata"].get("generation", 0)
        assert api.patch(f"{path}/b/status", {"status": status}).status == 200

    def test_a_budget_that_allows_none(self, api: Api) -> None:
        self.budget(api, 0)
        answer = self.evict(api, "p")
        assert (answer.status, answer.body["reason"]) == (429, "TooManyRequests")
        assert api.get(f"{PODS}/p").status == 200

    def test_a_budget_is_used_up(self, api: Api) -> None:
        self.budget(api, 1)
        assert self.evict(api, "p").status == 201
        budget = api.store.get(Key("poddisruptionbudgets.policy", "default", "b"))
        assert budget is not None
        assert budget["status"]["disruptionsAllowed"] == 0
        assert list(budget["status"]["disruptedPods"]) == ["p"]

    def test_the_pod_tells_why_it_went(self, api: Api) -> None:
        self.budget(api, 1)
        uid = api.get(f"{PODS}/p").body["metadata"]["uid"]
        version = api.get(f"{PODS}/p").body["metadata"]["resourceVersion"]
        watch = api.store.watch("pods")
        assert self.evict(api, "p", preconditions={"uid": uid, "resourceVersion": version}).status == 201
        marked = watch.drain()[0].object
        why = next(c for c in marked["status"]["conditions"] if c["type"] == "DisruptionTarget")
        assert (why["status"], why["reason"]) == ("True", "EvictionByEvictionAPI")
        assert why["message"] == "Eviction API: evicting"

    def test_a_wrong_precondition_leaves_the_pod_alone(self, api: Api) -> None:
        self.budget(api, 1)
        watch = api.store.watch("pods")
        assert self.evict(api, "p", preconditions={"uid": "another"}).status == 409
        assert watch.drain() == []

    def test_a_dry_run_takes_nothing(self, api: Api) -> None:
        self.budget(api, 1)
        before = api.store.revision
        assert self.evict(api, "p", dryRun=["All"]).status == 201
        assert api.store.revision == before


class Kubelets:
    """A provider that answers with what it was asked."""

    def logs(self, pod: Object, container: str, options: Object) -> Response:
        return Response(
            200, f"{pod['metadata']['name']}/{container} {options}".encode(), {"content-type": "text/plain"}
        )

    def connect(self, pod: Object, subresource: str, options: Object, request: Request) -> Response:
        return Response(101, {"asked": subresource, **options})


class TestKubelet:
    def ready(self, api: Api) -> None:
        api.post("/api/v1/nodes", {"metadata": {"name": "n"}})
        api.pod("p", nodeName="n")
        api.server.providers.logs = api.server.providers.streams = Kubelets()

    def test_logs(self, api: Api) -> None:
        self.ready(api)
        assert api.get(f"{PODS}/p/log", tailLines=5).body == b"p/app {'tailLines': 5}"
        assert api.get(f"{PODS}/p/log", container="x").body["message"] == "container x is not valid for pod p"
        assert api.get(f"{PODS}/p/log", tailLines=-1).status == 422
        assert api.get(f"{PODS}/p/log", tailLines="x").status == 400

    def test_exec_is_passed_on_with_its_options(self, api: Api) -> None:
        self.ready(api)
        answer = api.post(f"{PODS}/p/exec", None, command=["ls", "-l"], stdout="true")
        assert answer.body == {"asked": "exec", "stdout": True, "container": "app", "command": ["ls", "-l"]}

    def test_a_pod_without_a_node(self, api: Api) -> None:
        api.pod("p")
        assert api.get(f"{PODS}/p/log").status == 204
        assert api.post(f"{PODS}/p/exec", None, command="ls").status == 400
