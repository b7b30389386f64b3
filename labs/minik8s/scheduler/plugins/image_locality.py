"""ImageLocality: prefers nodes that already hold the pod's images, weighted by size and by how spread they are."""

from __future__ import annotations

from collections.abc import Iterator

from minik8s.objects import Object
from minik8s.scheduler.framework import MAX_NODE_SCORE, CycleState, Plugin
from minik8s.scheduler.snapshot import NodeInfo, PodInfo

MEGABYTE = 1024 * 1024
MIN_THRESHOLD = 23 * MEGABYTE
MAX_CONTAINER_THRESHOLD = 1000 * MEGABYTE


def normalized_name(image: str) -> str:
    """An image name with its tag: `:latest` when it has none."""
    return image if image.rfind(":") > image.rfind("/") else image + ":latest"


def images(spec: Object) -> Iterator[str]:
    """The images of a pod: containers, init containers and image volumes."""
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        yield container.get("image") or ""
    for volume in spec.get("volumes") or ():
        if volume.get("image"):
            yield volume["image"].get("reference") or ""


def priority(size: int, count: int) -> int:
    """0..100 from the bytes that need no pulling; thresholds grow with the number of images."""
    top = MAX_CONTAINER_THRESHOLD * count
    size = max(MIN_THRESHOLD, min(size, top))
    return MAX_NODE_SCORE * (size - MIN_THRESHOLD) // (top - MIN_THRESHOLD)


class ImageLocality(Plugin):
    name = "ImageLocality"

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> None:
        state[self.name] = list(map(normalized_name, images(pod.spec)))

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        wanted: list[str] = state[self.name]
        snapshot, held = self.handle.snapshot, 0
        for image in wanted:
            size = node.images.get(image)
            if size is not None:
                held += int(size * (snapshot.image_nodes[image] / len(snapshot)))
        return priority(held, len(wanted))
