"""Every resource whose objects can be listed and deleted: the garbage collector and namespace deletion walk over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from minik8s.client.informer import Informer
from minik8s.controllers.podutil import condition
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS


@dataclass(frozen=True)
class Resource:
    """name "deployments.apps", api_version "apps/v1", kind "Deployment"."""

    name: str
    api_version: str
    kind: str
    namespaced: bool

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


EVENTS = "events"


def built_in() -> list[Resource]:
    """One entry per stored resource, in its preferred version; Events are left out (they die by age)."""
    found: dict[str, Resource] = {}
    for kind in KINDS:
        if kind.storable and "list" in kind.verbs and kind.kind != "Event" and kind.resource_name not in found:
            found[kind.resource_name] = Resource(kind.resource_name, kind.api_version, kind.kind, kind.namespaced)
    return list(found.values())


def custom(definition: Object) -> Resource | None:
    """The resource that a CustomResourceDefinition serves; None while it is not established."""
    established = condition(definition, "Established")
    if established is None or established.get("status") != "True":
        return None
    spec = definition["spec"]
    version = next((v["name"] for v in spec["versions"] if v.get("storage")), spec["versions"][0]["name"])
    name, group = f"{spec['names']['plural']}.{spec['group']}", spec["group"]
    return Resource(name, f"{group}/{version}", spec["names"]["kind"], spec.get("scope") == "Namespaced")


class Resources:
    """The built-in resources, and the custom ones as their definitions come and go."""

    def __init__(self, definitions: Informer, added: Callable[[Resource], None] | None = None):
        self._by_name = {r.name: r for r in built_in()}
        self._by_kind = {(r.group, r.kind): r for r in self._by_name.values()}
        self._added = added
        definitions.on_change(self._definition_changed)

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._by_name.values()))

    def of_reference(self, reference: Object) -> Resource | None:
        """The resource of an owner reference."""
        return self._by_kind.get((reference["apiVersion"].rpartition("/")[0], reference["kind"]))

    def _definition_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None and (gone := custom(old)) is not None:
                self._by_name.pop(gone.name, None)
                self._by_kind.pop((gone.group, gone.kind), None)
            return
        found = custom(new)
        if found is not None and found.name not in self._by_name:
            self._by_name[found.name] = found
            self._by_kind[found.group, found.kind] = found
            if self._added is not None:
                self._added(found)
