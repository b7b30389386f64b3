"""Tab after `%kubectl`: from the cluster that the lab is connected to, in IPython and in a real kernel."""

import pytest

from minik8s import lab
from minik8s.lab.magics import complete_line


@pytest.fixture(scope="module")
def k():
    k = lab.connect(nodes=2)
    k.kubectl("create deployment web --image=nginx --replicas=2")
    k.kubectl("create namespace team-a")
    k.kubectl("run solo --image=nginx -n team-a --labels=tier=front")
    k.sleep(5)
    return k


@pytest.fixture(autouse=True)
def connected(k):
    from minik8s.lab import magics

    magics.use(k)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rol", ["rollout"]),
        ("get dep", ["deploy", "deployments"]),
        ("get pods,deplo", ["pods,deploy", "pods,deployments"]),
        ("describe deploy/", ["deploy/web"]),
        ("describe no node-", ["node-1", "node-2"]),
        ("get no node-1 node-", ["node-2"]),
        ("rollout st", ["status"]),
        ("rollout status d", ["daemonsets", "deploy", "deployments", "ds"]),
        ("rollout undo deployment ", ["web"]),
        ("top n", ["nodes"]),
        ("top nodes ", ["node-1", "node-2"]),
        ("drain node-", ["node-1", "node-2"]),
        ("get pods -n team", ["team-a"]),
        ("get pods --namespace=team", ["--namespace=team-a"]),
        ("-n team-a get pods so", ["solo"]),
        ("logs -n team-a so", ["solo"]),
        ("logs solo -n team-a -c ", ["solo"]),
        ("set image deploy/web ", ["nginx="]),
        ("get pods -n team-a -l ", ["tier=front"]),
        ("get pods -o ya", ["yaml"]),
        ("get pods --output=ya", ["--output=yaml"]),
        ("get pods --show", ["--show-kind", "--show-labels"]),
        ("delete pod x --gr", ["--grace-period"]),
        ("get pods | gr", ["grep"]),
        ("get nosuchkind ", []),
        ("get pods | grep w", []),
        ("version ", []),
        ("logs nosuchpod -c ", []),
    ],
)
def test_what_is_offered(line, offered):
    assert complete_line(line) == offered


def test_every_command_and_every_listable_kind_is_offered():
    assert {"get", "describe", "apply", "explain"} <= set(complete_line(""))
    kinds = complete_line("get ")
    assert {"po", "pods", "svc", "all"} <= set(kinds) and "bindings" not in kinds


def test_custom_kinds_too(k):
    k.apply(
        """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.sea.example}
spec:
  group: sea.example
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
    )
    assert complete_line("get boa") == ["boats"]


def test_before_a_cluster_is_there_nothing_is_offered(monkeypatch):
    from minik8s.lab import magics

    monkeypatch.setattr(magics, "_current", [])
    assert complete_line("get ") == []


def test_a_real_kernel_completes():
    """As Jupyter asks: complete_request over the wire, for a line, for `x = %kubectl`, and in a cell."""
    pytest.importorskip("ipykernel")
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive(
            "from minik8s import lab; k = lab.connect(nodes=1)\nk.kubectl('create deployment web --image=nginx')",
            silent=False,
            output_hook=lambda message: None,
        )

        def ask(code):
            answer = client.complete(code, len(code), reply=True, timeout=60)["content"]
            return [code[: answer["cursor_start"]] + one for one in answer["matches"]]

        assert ask("%kubectl get deploy w") == ["%kubectl get deploy web"]
        assert ask("x = %kubectl get pods --namespace=kube-s") == ["x = %kubectl get pods --namespace=kube-system"]
        assert ask("%%kubectl\nget ns\nrollout st") == ["%%kubectl\nget ns\nrollout status"]
        assert "k.kubectl" in ask("k.kub")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
