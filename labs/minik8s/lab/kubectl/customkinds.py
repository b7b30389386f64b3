"""CustomResourceDefinition이 더한 종류들: `api-resources`와 `explain`도 이들을 안다."""

from __future__ import annotations

from minik8s.client import Client
from minik8s.objects.kinds import ALL_VERBS, Kind
from minik8s.wire import StatusError


def custom_kinds(client: Client) -> list[Kind]:
    """One Kind for each established definition, in the version that discovery prefers (the first served one here)."""
    try:
        definitions = client.list("customresourcedefinitions.apiextensions.k8s.io")
    except StatusError:
        return []
    out = []
    for definition in definitions:
        spec, names = definition["spec"], (definition.get("status") or {}).get("acceptedNames") or {}
        served = [version["name"] for version in spec["versions"] if version["served"]]
        if not names.get("plural") or not served:
            continue
        out.append(
            Kind(
                group=spec["group"],
                version=served[0],
                kind=names["kind"],
                plural=names["plural"],
                singular=names.get("singular") or names["kind"].lower(),
                namespaced=spec["scope"] == "Namespaced",
                short_names=tuple(names.get("shortNames") or ()),
                verbs=ALL_VERBS,
                custom=True,
            )
        )
    return out
