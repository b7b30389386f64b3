"""Startup, readiness and liveness probes."""

from kubelet_bench import Bench


def test_a_pod_is_ready_when_its_probe_says_so(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", annotations={"sim.minik8s.io/ready-after": "8"},
              container={"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 2}})
    bench.run(8)
    assert bench.status("web")["phase"] == "Running"
    assert bench.condition("web", "Ready")["status"] == "False"
    assert any(m.startswith("Readiness probe failed: Get \"http://10.244.0.2:80/\": dial tcp 10.244.0.2:80: connect: "
                            "connection refused") for _, m in bench.events("web"))
    bench.run(8)
    assert bench.condition("web", "Ready")["status"] == "True"


def test_a_bad_status_is_a_failure(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", annotations={"sim.minik8s.io/http": "/healthz=503"},
              container={"readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}}})
    bench.run(20)
    assert ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503") in bench.events("web")


def test_an_exec_liveness_probe_restarts_the_container(bench: Bench) -> None:
    bench.pod("live", command=["sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"],
              terminationGracePeriodSeconds=2, container={"livenessProbe": {
                  "exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5}})
    bench.run(60)
    assert ("Killing", "Container app failed liveness probe, will be restarted") in bench.events("live")
    assert any("can't open '/tmp/healthy': No such file or directory" in m for _, m in bench.events("live"))
    assert bench.container("live")["restartCount"] == 1


def test_other_probes_wait_for_the_startup_probe(bench: Bench) -> None:
    probe = {"tcpSocket": {"port": 80}, "periodSeconds": 2}
    bench.pod("slow", "nginx:1.27", annotations={"sim.minik8s.io/ready-after": "20"}, container={
        "startupProbe": {**probe, "failureThreshold": 30}, "livenessProbe": {**probe, "failureThreshold": 1}})
    bench.run(15)
    assert bench.container("slow")["started"] is False
    bench.run(20)
    container = bench.container("slow")
    assert container["started"] is True and container["restartCount"] == 0


def test_a_probe_of_a_stuck_program_times_out(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", container={"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1}})
    bench.run(10)
    bench.cluster.faults.freeze_container("web", seconds=20)
    bench.run(6)
    assert bench.condition("web", "Ready")["status"] == "False"
    assert any("context deadline exceeded" in m for _, m in bench.events("web"))
    bench.run(20)
    assert bench.condition("web", "Ready")["status"] == "True"


def test_readiness_gates_hold_the_pod_back(bench: Bench) -> None:
    bench.pod("gated", "nginx:1.27", readinessGates=[{"conditionType": "example.com/ok"}])
    bench.run(10)
    assert bench.condition("gated", "Ready")["reason"] == "ReadinessGatesNotReady"
    bench.client.patch("pods", "default", "gated", {"status": {"conditions": [
        {"type": "example.com/ok", "status": "True"}]}}, type="strategic", subresource="status")
    bench.run(3)
    assert bench.condition("gated", "Ready")["status"] == "True"


def test_a_path_that_the_application_answers_needs_no_file(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", annotations={"sim.minik8s.io/http": "/healthz=200@0.01"},
              container={"readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 2}})
    bench.run(8)
    assert bench.condition("web", "Ready")["status"] == "True"
