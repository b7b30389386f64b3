"""요청의 여정: 실제로 지나간 곳을 말한다."""

import pytest

from minik8s import lab


@pytest.fixture
def k():
    k = lab.connect(nodes=2)
    k.apply("manifests/shop.yaml")
    k.wait("deployment/shop")
    k.kubectl("run client --image=busybox:1.36 --command -- sleep 36000")
    k.wait("pod/client", "ready")
    return k


def places(view):
    return [line[2:].partition(": ")[0] for line in view.text.splitlines()]


def test_a_request_to_a_service_passes_dns_and_the_proxy_of_the_senders_node(k):
    view = k.request("http://shop/", source="client")
    node = k.get("pod/client")["spec"]["nodeName"]
    assert places(view)[:3] == ["파드 client", "클러스터 DNS", f"kube-proxy({node})"]
    assert places(view)[3].removeprefix("파드 ") in {p["metadata"]["name"] for p in k.pods("app=shop")}
    assert "shop.default.svc.cluster.local → " in view.text and "준비된 3개" in view.text and "HTTP 200" in view.text


def test_a_name_that_nobody_has_ends_at_dns_and_tells_what_was_tried(k):
    view = k.request("http://nope/", source="client")
    assert places(view)[-1] == "클러스터 DNS" and "nope.svc.cluster.local: 없음" in view.text


def test_service_names_mean_nothing_outside_of_the_cluster(k):
    assert places(k.request("http://shop/")) == ["클러스터 밖", "바깥 DNS"]


def test_an_empty_service_and_a_wrong_port_end_at_the_proxy(k):
    assert "81번 포트가 없다" in k.request("http://shop:81/", source="client").text
    k.scale("deployment/shop", 0)
    k.sleep(60)
    assert "준비된 파드가 없다" in k.request("http://shop/", source="client").text


def test_a_policy_is_named_when_it_stops_a_request_or_a_question(k):
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "wall"}}
    k.apply({**policy, "spec": {"podSelector": {"matchLabels": {"app": "shop"}}, "policyTypes": ["Ingress"]}})
    k.sleep(1)
    text = k.request("http://shop/", source="client").text
    assert "✗ 네트워크폴리시: 시간 초과(대답 없음) (받는 쪽 정책 wall" in text
    k.apply({**policy, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
    k.sleep(1)
    assert "✗ 클러스터 DNS: 대답이 없다 (보내는 쪽 정책 wall" in k.request("http://shop/", source="client").text


def test_from_outside_a_balancer_sends_to_a_node_with_pods_under_the_local_policy(k):
    k.scale("deployment/shop", 1)
    k.patch("service/shop", {"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}})
    k.sleep(40)
    address = k.get("service/shop")["status"]["loadBalancer"]["ingress"][0]["ip"]
    node = k.pods("app=shop")[0]["spec"]["nodeName"]
    assert places(k.request(f"http://{address}/"))[1:3] == [f"로드 밸런서 {address}", f"kube-proxy({node})"]
    assert k.traffic(f"http://{address}/", rate=10, duration=3).lost == 0
    k.patch("service/shop", {"spec": {"externalTrafficPolicy": "Cluster"}})
    assert "healthCheckNodePort" not in k.get("service/shop")["spec"]
