"""The table of kinds: names, look-ups, and what is added at run time."""

from __future__ import annotations

import pytest

from minik8s.objects.kinds import BUILTIN, KINDS, Registry, custom_kind


@pytest.mark.parametrize(
    ("word", "resource"),
    [("po", "pods"), ("deploy", "deployments.apps"), ("Pod", "pods"), ("services", "services"), ("svc", "services"),
     ("cj", "cronjobs.batch"), ("hpa", "horizontalpodautoscalers.autoscaling"), ("events", "events"),
     ("events.events.k8s.io", "events.events.k8s.io"), ("crd", "customresourcedefinitions.apiextensions.k8s.io"),
     ("ing", "ingresses.networking.k8s.io"), ("sc", "storageclasses.storage.k8s.io")])
def test_what_a_person_types_finds_the_resource(word: str, resource: str) -> None:
    kind = BUILTIN.find(word)
    assert kind is not None and kind.resource_name == resource


def test_every_kind_has_one_place() -> None:
    assert len({(k.group, k.version, k.plural) for k in KINDS}) == len(KINDS) == len(BUILTIN)
    assert all(BUILTIN.by_resource(k.group, k.version, k.plural) is k for k in KINDS)
    assert all(BUILTIN.by_kind(k.api_version, k.kind) is k for k in KINDS)


def test_the_preferred_version_comes_first() -> None:
    assert BUILTIN.versions("autoscaling") == ["v2", "v1"]
    kind = BUILTIN.by_name("horizontalpodautoscalers.autoscaling")
    assert kind is not None and kind.version == "v2"


def test_events_of_both_groups_are_stored_as_one_resource() -> None:
    kind = BUILTIN.by_resource("events.k8s.io", "v1", "events")
    assert kind is not None and kind.storage_resource == "events"


def test_kinds_can_be_added_and_removed() -> None:
    registry = Registry()
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    widget = custom_kind("example.com", "v1", names, namespaced=True)
    registry.add(widget)
    assert registry.find("wd") is widget and registry.groups()[-2:] == ["example.com", "metrics.k8s.io"]
    assert (widget.singular, widget.list_kind, widget.kind_name) == ("widget", "WidgetList", "Widget.example.com")
    registry.remove(widget)
    assert registry.find("wd") is None and BUILTIN.find("wd") is None
