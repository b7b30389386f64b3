"""Images on one node: what is there, pulls under way, and waiting after failures (pkg/kubelet/images)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.kubelet.backoff import Backoff
from minik8s.kubelet.images import Image, InvalidName, PullError, parse_reference
from minik8s.objects.frozen import Object

if TYPE_CHECKING:
    from minik8s.kubelet.container import ContainerWorker
    from minik8s.kubelet.kubelet import Kubelet

BYTES_PER_SECOND = 40e6
"""How fast a node pulls, unpacking included."""

CHECK_SECONDS = (0.3, 0.9)
"""How long asking the registry takes, whether something is then pulled or not."""

PRESENT_SECONDS = 0.01


class ImageManager:
    """`images` by full reference. Pulls run side by side (serializeImagePulls: false)."""

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self.images: dict[str, Image] = {}
        self._backoff = Backoff()

    def ensure(self, worker: ContainerWorker) -> None:
        """See to it that the container's image is there, then call `pulled` or `pull_failed` of the worker."""
        host = self._kubelet.host
        image = worker.spec["image"]
        try:
            reference = parse_reference(image)
        except InvalidName as error:
            text = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {error}'
            worker.event("Warning", "InspectFailed", text)
            host.call_soon(self._fail, worker, "InvalidImageName", text)
            return
        present = self.images.get(str(reference))
        policy = worker.spec.get("imagePullPolicy") or ("Always" if reference.tag == "latest" else "IfNotPresent")
        if policy == "Never" and present is None:
            text = f'Container image "{image}" is not present with pull policy of Never'
            worker.event("Warning", "ErrImageNeverPull", text)
            host.call_soon(self._fail, worker, "ErrImageNeverPull", text)
        elif present is not None and policy != "Always" and self._may_use(worker, image):
            worker.event("Normal", "Pulled",
                         f'Container image "{image}" already present on machine and can be accessed by the pod')
            host.call_later(PRESENT_SECONDS, self._succeed, worker, present)
        else:
            self._pull(worker, image, present is not None)

    def _may_use(self, worker: ContainerWorker, image: str) -> bool:
        return self._kubelet.registry.accessible(image, self._kubelet.pull_secrets(worker.pod.pod))

    def backoff_left(self, worker: ContainerWorker) -> float:
        now = self._kubelet.host.true_now()
        key = _key(worker)
        return self._backoff.wait(key, self._backoff.last(key), now)

    def forget(self, uid: str) -> None:
        self._backoff.forget(uid)

    def remove_unused(self, used: set[str]) -> int:
        """Delete images that no container uses; the bytes won."""
        gone = [name for name in self.images if name not in used]
        return sum(self.images.pop(name).size for name in gone)

    def used_bytes(self) -> int:
        return sum(i.size for i in self.images.values())

    def status(self) -> list[Object]:
        """`status.images` of the node, largest first, at most 50."""
        by_size = sorted(self.images.values(), key=lambda i: (-i.size, i.id))
        return [{"names": [i.id, str(i.reference)], "sizeBytes": i.size} for i in by_size[:50]]

    def _pull(self, worker: ContainerWorker, image: str, present: bool) -> None:
        host, rng = self._kubelet.host, self._kubelet.rng
        worker.event("Normal", "Pulling", f'Pulling image "{image}"')
        seconds = rng.uniform(*CHECK_SECONDS)
        try:
            found = self._kubelet.registry.pull(image, self._kubelet.pull_secrets(worker.pod.pod))
        except PullError as error:
            host.call_later(seconds, self._pull_failed, worker, image, str(error))
            return
        if not present:
            seconds += found.size / BYTES_PER_SECOND * rng.uniform(0.8, 1.3)
        host.call_later(seconds, self._pulled, worker, image, found, seconds)

    def _pulled(self, worker: ContainerWorker, image: str, found: Image, seconds: float) -> None:
        self.images[str(found.reference)] = found
        took = f"{seconds:.3f}".rstrip("0").rstrip(".") + "s" if seconds >= 1 else f"{round(seconds * 1000)}ms"
        size = f"Image size: {found.size} bytes."
        text = f'Successfully pulled image "{image}" in {took} ({took} including waiting). {size}'
        worker.event("Normal", "Pulled", text)
        self._kubelet.node.changed()
        self._succeed(worker, found)

    def _pull_failed(self, worker: ContainerWorker, image: str, why: str) -> None:
        self._backoff.next(_key(worker), self._kubelet.host.true_now())
        worker.event("Warning", "Failed", f'Failed to pull image "{image}": {why}')
        self._fail(worker, "ErrImagePull", why)

    def _succeed(self, worker: ContainerWorker, image: Image) -> None:
        if not worker.pod.stopping or worker.kind == "sidecar":
            worker.pulled(image)

    def _fail(self, worker: ContainerWorker, reason: str, text: str) -> None:
        if not worker.pod.stopping:
            worker.pull_failed(reason, text)


def _key(worker: ContainerWorker) -> str:
    return f"{worker.pod.uid}_{worker.spec['image']}"
