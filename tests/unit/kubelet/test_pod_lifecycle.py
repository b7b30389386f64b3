"""A pod's way on its node: pulled, started, ready, crashed, stopped."""

from itertools import pairwise

from kubelet_bench import Bench

from minik8s.kubelet.lifecycle import CONTAINER_TABLE, POD_TABLE, ContainerState, PodState


def test_a_pod_is_pulled_started_and_ready(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27")
    bench.run(0.1)
    assert bench.status("web")["phase"] == "Pending"
    assert bench.container("web")["state"] == {"waiting": {"reason": "ContainerCreating"}}
    bench.run(10)
    status = bench.status("web")
    assert status["phase"] == "Running"
    assert status["podIP"] == "10.244.0.2" and status["hostIP"] == "172.18.0.2"
    assert {c["type"]: c["status"] for c in status["conditions"]} == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True")
    container = bench.container("web")
    assert container["ready"] and container["started"] and container["restartCount"] == 0
    assert container["image"] == "docker.io/library/nginx:1.27"
    assert container["imageID"].startswith("docker.io/library/nginx@sha256:")
    assert container["containerID"].startswith("containerd://")
    assert [r for r, _ in bench.events("web")] != []
    assert {"Pulling", "Pulled", "Created", "Started"} <= bench.reasons("web")


def test_two_status_writes_bring_a_pod_without_probes_to_running(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27")
    bench.run(20)
    writes = list(bench.cluster.trace.select(actor="kubelet/node-1", verb="patch", object="pods/default/web"))
    assert len(writes) == 2


def test_the_second_pod_finds_the_image_on_the_machine(bench: Bench) -> None:
    bench.pod("one", "nginx:1.27")
    bench.run(10)
    bench.pod("two", "nginx:1.27")
    bench.run(10)
    told = dict(bench.events("two"))
    assert told["Pulled"] == 'Container image "nginx:1.27" already present on machine and can be accessed by the pod'


def test_a_crashing_container_waits_ten_seconds_and_twice_as_long_each_time(bench: Bench) -> None:
    bench.pod("crash", command=["sh", "-c", "exit 1"])
    starts = []
    for _ in range(1600):
        bench.run(0.25)
        running = bench.worker("crash").apps[0].current
        if running is not None and running.started_at is not None and running.started_at not in starts:
            starts.append(running.started_at)
    gaps = [round(b - a) for a, b in pairwise(starts)]
    assert gaps[0] <= 2
    assert [g // 10 for g in gaps[1:5]] == [1, 2, 4, 8]
    assert "BackOff" in bench.reasons("crash")


def test_between_restarts_the_status_shows_how_the_container_ended(bench: Bench) -> None:
    bench.pod("crash", command=["sh", "-c", "exit 3"])
    bench.run(30)
    state = bench.container("crash")["state"]
    assert state["terminated"]["exitCode"] == 3 and state["terminated"]["reason"] == "Error"
    assert bench.status("crash")["phase"] == "Running"
    assert bench.condition("crash", "Ready")["reason"] == "ContainersNotReady"


def test_crash_loop_back_off_shows_when_the_wait_is_over(bench: Bench) -> None:
    bench.pod("crash", command=["sh", "-c", "exit 3"])
    bench.run(60)
    seen = [e.object for e in bench.cluster.store.events if e.key.resource == "pods" and e.type == "MODIFIED"]
    reasons = [c["state"]["waiting"] for p in seen for c in p["status"].get("containerStatuses", ())
               if "waiting" in c["state"]]
    loops = [w["message"] for w in reasons if w["reason"] == "CrashLoopBackOff"]
    uid = bench.get("crash")["metadata"]["uid"]  # type: ignore[index]
    assert loops[0] == f"back-off 10s restarting failed container=app pod=crash_default({uid})"


def test_back_off_starts_over_after_ten_minutes_of_running(bench: Bench) -> None:
    bench.pod("long", command=["sh", "-c", "sleep 700; exit 1"])
    bench.run(1420)
    assert bench.container("long")["restartCount"] == 2


def test_restart_policies(bench: Bench) -> None:
    bench.pod("never", command=["sh", "-c", "exit 1"], restartPolicy="Never")
    bench.pod("onfailure", command=["true"], restartPolicy="OnFailure")
    bench.run(15)
    assert bench.status("never")["phase"] == "Failed"
    assert bench.status("onfailure")["phase"] == "Succeeded"
    assert bench.condition("onfailure", "Ready")["reason"] == "PodCompleted"
    assert bench.container("never")["state"]["terminated"]["exitCode"] == 1


def test_graceful_deletion_waits_for_a_program_that_ignores_the_signal(bench: Bench) -> None:
    bench.pod("stubborn", command=["sleep", "infinity"], terminationGracePeriodSeconds=20)
    bench.run(10)
    bench.client.delete("pods", "default", "stubborn")
    bench.run(19)
    assert bench.get("stubborn") is not None
    bench.run(2)
    assert bench.get("stubborn") is None
    last = next(e.object for e in reversed(bench.cluster.store.events)
                if e.key.name == "stubborn" and e.key.resource == "pods")
    assert last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_program_that_listens_to_sigterm_ends_at_once(bench: Bench) -> None:
    bench.pod("polite", command=["sh", "-c", "trap 'echo bye; exit 0' TERM; while true; do sleep 1; done"])
    bench.run(10)
    log = bench.worker("polite").apps[0].current.log  # type: ignore[union-attr]
    bench.client.delete("pods", "default", "polite")
    bench.run(3)
    assert bench.get("polite") is None
    assert [line.text for line in log.lines] == ["bye"]


def test_force_deletion_frees_the_name_at_once_and_the_machine_soon(bench: Bench) -> None:
    bench.pod("gone")
    bench.run(10)
    bench.client.delete("pods", "default", "gone", grace=0)
    assert bench.get("gone") is None
    bench.run(5)
    assert bench.cluster.fleet["node-1"].pods == {}


def test_a_pre_stop_hook_delays_the_signal(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", container={"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}})
    bench.run(10)
    bench.client.delete("pods", "default", "web")
    bench.run(4.5)
    assert bench.get("web") is not None and bench.worker("web").apps[0].running is not None
    bench.run(2)
    assert bench.get("web") is None


def test_a_failed_post_start_hook_kills_the_container(bench: Bench) -> None:
    bench.pod("web", container={"lifecycle": {"postStart": {"exec": {"command": ["false"]}}}})
    bench.run(45)
    assert {"FailedPostStartHook", "Killing"} <= bench.reasons("web")
    assert bench.container("web")["restartCount"] >= 1


def test_init_containers_run_one_after_the_other(bench: Bench) -> None:
    init = [{"name": f"i{n}", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 3"]} for n in (1, 2)]
    bench.pod("web", "nginx:1.27", initContainers=init)
    bench.run(5)
    assert bench.condition("web", "Initialized")["message"] == "containers with incomplete status: [i1 i2]"
    assert bench.container("web")["state"]["waiting"]["reason"] == "PodInitializing"
    bench.run(20)
    states = [c["state"]["terminated"] for c in bench.status("web")["initContainerStatuses"]]
    assert states[0]["finishedAt"] <= states[1]["startedAt"]
    assert bench.status("web")["phase"] == "Running"


def test_a_failing_init_container_fails_a_pod_that_never_restarts(bench: Bench) -> None:
    bench.pod("web", "nginx:1.27", restartPolicy="Never",
              initContainers=[{"name": "i", "image": "busybox:1.36", "command": ["false"]}])
    bench.run(15)
    assert bench.status("web")["phase"] == "Failed"
    assert bench.container("web")["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_sidecar_starts_first_and_ends_last(bench: Bench) -> None:
    side = {"name": "side", "image": "busybox:1.36", "restartPolicy": "Always",
            "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]}
    bench.pod("job", command=["sh", "-c", "sleep 5"], restartPolicy="Never", initContainers=[side])
    bench.run(20)
    status = bench.status("job")
    assert status["phase"] == "Succeeded"
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_memory_above_the_limit_kills(bench: Bench) -> None:
    bench.pod("oom", "polinux/stress", command=["stress", "--vm", "1", "--vm-bytes", "250M"],
              container={"resources": {"limits": {"memory": "100Mi"}}}, restartPolicy="Never")
    bench.run(15)
    ended = bench.container("oom")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_a_deadline_ends_the_pod(bench: Bench) -> None:
    bench.pod("slow", activeDeadlineSeconds=10, terminationGracePeriodSeconds=1)
    bench.run(20)
    assert bench.status("slow")["phase"] == "Failed"
    assert bench.status("slow")["reason"] == "DeadlineExceeded"


def test_a_node_refuses_what_does_not_fit(bench: Bench) -> None:
    bench.pod("big", container={"resources": {"requests": {"cpu": "64"}}})
    bench.run(2)
    status = bench.status("big")
    assert (status["phase"], status["reason"]) == ("Failed", "OutOfcpu")
    assert status["message"] == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000")


def test_every_state_of_the_tables_can_be_reached() -> None:
    reached_pods = {move.next for move in POD_TABLE.values()} | {PodState.NEW}
    reached = {move.next for move in CONTAINER_TABLE.values()} | {ContainerState.WAITING}
    assert reached_pods == set(PodState)
    assert reached == set(ContainerState)
