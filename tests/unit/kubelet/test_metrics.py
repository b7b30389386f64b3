"""What metrics.k8s.io tells of simulated use."""

from kubelet_bench import Bench

from minik8s.objects.quantity import milli


def cpu(bench: Bench, name: str) -> int:
    """Thousandths of a core that the pod's container used."""
    found = bench.client.call("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/{name}")
    return milli(found["containers"][0]["usage"]["cpu"])


def test_requests_cost_processor_time(bench: Bench) -> None:
    bench.pod("php", "registry.k8s.io/hpa-example", container={"ports": [{"containerPort": 80}]})
    bench.run(40)
    idle = cpu(bench, "php")
    load = bench.cluster.traffic.start("pod/php", rate=20, duration=60)
    bench.run(30)
    busy = cpu(bench, "php")
    bench.run(120)
    assert (load.lost, idle < 20, cpu(bench, "php") < 20) == (0, True, True)
    assert 900 < busy < 1100


def test_use_follows_a_line_and_stops_at_the_limit(bench: Bench) -> None:
    bench.pod("ramp", annotations={"sim.minik8s.io/cpu": "0:100m,100:2"},
              container={"resources": {"limits": {"cpu": "500m"}}})
    bench.run(20)
    first = cpu(bench, "ramp")
    bench.run(80)
    assert 100 < first < 500 == cpu(bench, "ramp")


def test_nodes_add_up_their_pods_and_fresh_containers_have_no_figures(bench: Bench) -> None:
    bench.pod("one", annotations={"sim.minik8s.io/memory": "200Mi"})
    bench.run(5)
    assert bench.client.call("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods")["items"] == []
    bench.run(30)
    node = bench.client.call("GET", "/apis/metrics.k8s.io/v1beta1/nodes/node-1")
    assert node["usage"]["memory"].endswith("Ki") and int(node["usage"]["memory"][:-2]) >= 200 * 1024
