"""Environment, downward API, volumes and their lifetimes."""

from kubelet_bench import Bench


def config_map(bench: Bench, name: str, **data: str) -> None:
    bench.client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap",
                                       "metadata": {"name": name, "namespace": "default"}, "data": data})


def test_environment_from_all_sources(bench: Bench) -> None:
    config_map(bench, "settings", MODE="dev", LEVEL="3")
    bench.pod("env", container={
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "C_"}],
        "env": [
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "MODE"}}},
            {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}},
            {"name": "TEXT", "value": "$(ME) in $(MODE), $$(ME), $(UNKNOWN)"},
        ],
        "resources": {"requests": {"cpu": "250m"}},
    })
    bench.run(10)
    _, out, _ = bench.shell("env", "env")
    lines = dict(line.split("=", 1) for line in out.splitlines())
    assert (lines["MODE"], lines["C_LEVEL"], lines["ME"], lines["CPU"]) == ("dev", "3", "env", "250")
    assert lines["IP"] == bench.status("env")["podIP"]
    assert lines["TEXT"] == "env in dev, $(ME), $(UNKNOWN)"
    assert lines["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"


def test_a_missing_config_map_is_waited_for(bench: Bench) -> None:
    bench.pod("env", container={"envFrom": [{"configMapRef": {"name": "later"}}]})
    bench.run(5)
    waiting = bench.container("env")["state"]["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": 'configmap "later" not found'}
    config_map(bench, "later", A="1")
    bench.run(20)
    assert bench.status("env")["phase"] == "Running"


def test_a_missing_volume_source_fails_to_mount(bench: Bench) -> None:
    bench.pod("vol", volumes=[{"name": "c", "configMap": {"name": "later"}}],
              container={"volumeMounts": [{"name": "c", "mountPath": "/c"}]})
    bench.run(5)
    told = ("FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "later" not found')
    assert told in bench.events("vol")
    assert bench.container("vol")["state"]["waiting"]["reason"] == "ContainerCreating"
    config_map(bench, "later", A="1")
    bench.run(20)
    assert bench.shell("vol", "cat /c/A")[1] == "1"


def test_a_changed_config_map_reaches_files_later_and_variables_never(bench: Bench) -> None:
    config_map(bench, "c", A="old")
    mounts = [{"name": "c", "mountPath": "/c"}, {"name": "c", "mountPath": "/one", "subPath": "A"}]
    bench.pod("app", volumes=[{"name": "c", "configMap": {"name": "c"}}], container={
        "volumeMounts": mounts, "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "A"}}}]})
    bench.run(10)
    bench.client.patch("configmaps", "default", "c", {"data": {"A": "new"}})
    assert bench.shell("app", "cat /c/A")[1] == "old"
    bench.run(70)
    assert bench.shell("app", "cat /c/A; echo; cat /one; echo; echo $A")[1].splitlines() == ["new", "old", "old"]


def test_files_of_a_secret_and_the_token_can_be_read_but_not_written(bench: Bench) -> None:
    bench.client.create("secrets", {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"},
        "stringData": {"password": "hunter2"}})
    bench.pod("app", volumes=[{"name": "s", "secret": {"secretName": "s"}}],
              container={"volumeMounts": [{"name": "s", "mountPath": "/s"}]})
    bench.run(10)
    assert bench.shell("app", "cat /s/password")[1] == "hunter2"
    code, _, err = bench.shell("app", "echo x > /s/password")
    assert code and "Read-only file system" in err
    code, out, _ = bench.shell("app", "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace")
    assert (code, out) == (0, "default")
    assert bench.shell("app", "cat /var/run/secrets/kubernetes.io/serviceaccount/token")[1].count(".") == 2


def test_what_a_container_writes_is_lost_with_it_and_an_empty_dir_with_the_pod(bench: Bench) -> None:
    spec = {"volumes": [{"name": "e", "emptyDir": {}}], "terminationGracePeriodSeconds": 1,
            "container": {"volumeMounts": [{"name": "e", "mountPath": "/e"}]}}
    bench.pod("app", **spec)
    bench.run(10)
    bench.shell("app", "echo a > /tmp/own; echo b > /e/shared")
    bench.cluster.faults.crash_container("app")
    bench.run(15)
    assert bench.shell("app", "cat /e/shared")[1] == "b\n"
    assert bench.shell("app", "cat /tmp/own")[0] == 1
    bench.client.delete("pods", "default", "app")
    bench.run(5)
    bench.pod("app", **spec)
    bench.run(10)
    assert bench.shell("app", "ls /e")[1] == ""


def test_a_host_path_lives_as_long_as_the_node(bench: Bench) -> None:
    spec = {"volumes": [{"name": "h", "hostPath": {"path": "/data"}}], "terminationGracePeriodSeconds": 1,
            "container": {"volumeMounts": [{"name": "h", "mountPath": "/h"}]}}
    bench.pod("one", **spec)
    bench.run(10)
    bench.shell("one", "echo kept > /h/file")
    bench.client.delete("pods", "default", "one")
    bench.run(5)
    bench.pod("two", **spec)
    bench.run(10)
    assert bench.shell("two", "cat /h/file")[1] == "kept\n"


def test_non_root_is_enforced(bench: Bench) -> None:
    bench.pod("root", securityContext={"runAsNonRoot": True})
    bench.run(5)
    message = bench.container("root")["state"]["waiting"]["message"]
    assert message.startswith("container has runAsNonRoot and image will run as root (pod: \"root_default(")


def test_logs_of_now_and_before(bench: Bench) -> None:
    bench.pod("talk", command=["sh", "-c", "echo one; echo two >&2; sleep 5; exit 1"])
    bench.run(12)
    handle, path = bench.cluster.handle, "/api/v1/namespaces/default/pods/talk/log"
    from minik8s.cluster import ADMIN
    from minik8s.wire import Request

    def log(**query: str) -> bytes:
        return handle(Request("GET", path, {k: [v] for k, v in query.items()}, {}, None, ADMIN)).body  # type: ignore[no-any-return]

    assert log() == b"one\ntwo\n"
    assert log(previous="true") == b"one\ntwo\n"
    assert log(tailLines="1") == b"two\n"
    assert log(timestamps="true").startswith(b"2026-01-01T00:00:")
    assert log(stream="Stderr") in (b"two\n", log())


def test_an_ephemeral_container_joins_a_running_pod(bench: Bench) -> None:
    bench.pod("app")
    bench.run(10)
    body = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox:1.36", "command": ["sleep", "100"]}]}}
    bench.client.patch("pods", "default", "app", body, type="strategic", subresource="ephemeralcontainers")
    bench.run(10)
    assert "running" in bench.status("app")["ephemeralContainerStatuses"][0]["state"]


def test_a_resize_in_place_changes_the_limit_without_a_restart(bench: Bench) -> None:
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    bench.pod("app", container={"resources": resources})
    bench.run(10)

    def resize(cpu: str) -> None:
        containers = [{"name": "app", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}}]
        body = {"spec": {"containers": containers}}
        bench.client.patch("pods", "default", "app", body, type="strategic", subresource="resize")
        bench.run(5)

    resize("150m")
    container = bench.container("app")
    assert container["restartCount"] == 0
    assert container["resources"] == {"requests": {"cpu": "150m"}, "limits": {"cpu": "150m"}}
    assert container["allocatedResources"] == {"cpu": "150m"}
    resize("64")
    pending = bench.condition("app", "PodResizePending")
    assert (pending["status"], pending["reason"]) == ("True", "Infeasible")


def test_a_static_pod_has_a_mirror_that_comes_back(bench: Bench) -> None:
    kubelet = bench.cluster.fleet["node-1"]
    kubelet.world.static.put(kubelet, {"metadata": {"name": "web", "namespace": "default"},
                                       "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}})
    bench.run(10)
    first = bench.get("web-node-1")
    assert first is not None and first["status"]["phase"] == "Running"
    assert first["metadata"]["annotations"]["kubernetes.io/config.source"] == "file"
    bench.client.delete("pods", "default", "web-node-1", grace=0)
    bench.run(20)
    second = bench.get("web-node-1")
    assert second is not None and second["metadata"]["uid"] != first["metadata"]["uid"]


def test_memory_pressure_tells_and_evicts(bench: Bench) -> None:
    bench.pod("hungry", annotations={"sim.minik8s.io/memory": "500Mi"})
    bench.pod("modest", container={"resources": {"requests": {"memory": "64Mi"}}})
    bench.run(10)
    fault = bench.cluster.faults.exhaust_memory("node-1")
    bench.run(12)
    status = bench.status("hungry")
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"].startswith("The node was low on resource: memory. Threshold quantity: 100Mi, available: ")
    assert bench.condition("hungry", "DisruptionTarget")["reason"] == "TerminationByKubelet"
    node = bench.client.get("nodes", "", "node-1")
    assert any(c["type"] == "MemoryPressure" and c["status"] == "True" for c in node["status"]["conditions"])
    assert bench.status("modest")["phase"] == "Running"
    fault.undo()
    bench.run(400)
    node = bench.client.get("nodes", "", "node-1")
    assert all(c["status"] == "False" for c in node["status"]["conditions"] if c["type"] != "Ready")


def test_an_outgrown_empty_dir_ends_the_pod(bench: Bench) -> None:
    bench.pod("big", volumes=[{"name": "e", "emptyDir": {"sizeLimit": "1Mi"}}],
              container={"volumeMounts": [{"name": "e", "mountPath": "/e"}]})
    bench.run(10)
    bench.shell("big", "dd if=/dev/zero of=/e/file bs=1M count=2")
    bench.run(20)
    assert bench.status("big")["message"] == 'Usage of EmptyDir volume "e" exceeds the limit "1Mi". '
