"""DefaultStorageClass: a claim that names no class gets the default one, the newest if there are several."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object

ANNOTATIONS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def default_class(objects: list[Object], annotations: tuple[str, ...]) -> Object | None:
    """The object marked default by an annotation: the newest, then the first by name."""
    marked = [o for o in objects if any((o["metadata"].get("annotations") or {}).get(a) == "true" for a in annotations)]
    marked.sort(key=lambda o: str(o["metadata"]["name"]))
    marked.sort(key=lambda o: str(o["metadata"].get("creationTimestamp", "")), reverse=True)
    return marked[0] if marked else None


class DefaultStorageClass(Plugin):
    name = "DefaultStorageClass"
    resources = frozenset({"persistentvolumeclaims"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.subresource or a.object is None:
            return
        spec = a.object.setdefault("spec", {})
        annotations = a.meta().get("annotations") or {}
        if spec.get("storageClassName") is not None or "volume.beta.kubernetes.io/storage-class" in annotations:
            return
        found = default_class(server.store.list("storageclasses.storage.k8s.io"), ANNOTATIONS)
        if found is not None:
            spec["storageClassName"] = found["metadata"]["name"]
