"""A broken cluster is handed over: its symptom shows, its checks fail, and hints unfold one by one."""

import pytest

from minik8s import lab
from minik8s.lab.incidents import NAMES, problem


@pytest.mark.parametrize("name", NAMES)
def test_what_is_handed_over_is_broken(name, capsys):
    incident = lab.incident(lab.connect("embedded"), name)
    assert incident.seen
    assert not incident.check(timeout=1)
    assert "[아직]" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_closing_leaves_nothing_behind(name):
    k = lab.connect("embedded")
    before = {kind: names(k, kind) for kind in ("deployments.apps", "services", "namespaces", "pods")}
    incident = lab.incident(k, name)
    incident.close()
    k.sleep(120)
    assert {kind: names(k, kind) for kind in before} == before
    assert not any((n.get("spec") or {}).get("unschedulable") for n in k.client.list("nodes"))


def names(k, kind):
    return [o["metadata"]["name"] for o in k.client.list(kind)]


def test_hints_unfold_one_by_one(capsys):
    incident = lab.incident(lab.connect("embedded"), "unschedulable")
    capsys.readouterr()
    incident.hint()
    first = capsys.readouterr().out
    incident.hint()
    second = capsys.readouterr().out
    assert first.count("힌트") == 1 and second.count("힌트") == 2
    assert second.startswith(first)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match="wrong-selector"):
        problem("nonsense")


def test_losing_a_node_needs_another_one():
    with pytest.raises(RuntimeError, match="둘 이상"):
        lab.incident(lab.connect("embedded", nodes=1), "lost-node")


def test_deleting_the_quota_is_no_repair():
    k = lab.connect("embedded")
    incident = lab.incident(k, "full-quota")
    k.delete("resourcequota/team")
    assert not incident.check(timeout=30)


def test_giving_the_bot_everything_is_no_repair():
    k = lab.connect("embedded")
    incident = lab.incident(k, "rbac-denied")
    k.kubectl("create rolebinding much --clusterrole=cluster-admin --serviceaccount=default:reporter")
    assert not incident.check(timeout=5)
