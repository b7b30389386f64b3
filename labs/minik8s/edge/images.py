"""실습이 쓰는 이미지의 목록(data/images.yaml)과 그 다이제스트(images.lock.yaml).

The list names small multi-arch images by tag. The lock is made by the first `minik8s images lock` that has a network
(CI renews it), and says what each tag pointed at then; where there is none, images are pulled by tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from minik8s.edge.plan import Step
from minik8s.edge.registry import Pinned, Registry

LOCK = "images.lock.yaml"
NEEDED = ("linux/amd64", "linux/arm64")
"""Platforms that every image of the labs must have: classroom laptops are of both kinds."""

class Image(NamedTuple):
    """`digest` is of the multi-arch index, "" while nobody has pinned it."""

    name: str
    tag: str
    digest: str
    used: str

    @property
    def tagged(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def place(self) -> tuple[str, str]:
        """(registry, repository): `docker.io`, `library/nginx`."""
        registry, _, repository = self.name.partition("/")
        return registry, repository

    @property
    def pinned(self) -> str:
        """By digest where one is known: what is pulled."""
        return f"{self.name}@{self.digest}" if self.digest else self.tagged


def listed(lock: Path | None = None) -> list[Image]:
    """The images of the labs in the order of the list, with the digests of the lock. ValueError for a broken lock."""
    text = files("minik8s.edge").joinpath("data/images.yaml").read_text(encoding="utf-8")
    digests = read_lock(lock or lock_path())
    entries = [(i["name"], str(i["tag"]), i["used"]) for i in yaml.safe_load(text)["images"]]
    return [Image(name, tag, digests.get(f"{name}:{tag}", ""), used) for name, tag, used in entries]


def lock_path() -> Path:
    """Beside the list, so that a wheel carries the lock that its checkout had."""
    return Path(str(files("minik8s.edge").joinpath("data"))) / LOCK


def read_lock(path: Path) -> dict[str, str]:
    """Tagged name -> digest; empty without a file. ValueError in Korean for one that is not a lock."""
    if not path.exists():
        return {}
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["images"]
        found = {f"{one['name']}:{one['tag']}": str(one["digest"]) for one in entries}
    except (yaml.YAMLError, KeyError, TypeError):
        raise ValueError(f"{path}을(를) 읽을 수 없다. 지우고 `minik8s images lock`으로 다시 만들자.") from None
    wrong = [name for name, digest in found.items() if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest)]
    if wrong:
        raise ValueError(f"{path}의 다이제스트가 sha256이 아니다: {', '.join(wrong)}")
    return found


Resolve = Callable[[Image], Pinned]


def ask(image: Image) -> Pinned:
    """What the image's registry says of its tag. RegistryError."""
    registry, repository = image.place
    return Registry(registry).resolve(repository, image.tag)


def lock(found: Iterable[Image], resolve: Resolve = ask) -> str:
    """The text of a lock. ValueError when an image lacks a platform, RegistryError when one cannot be asked."""
    entries: list[dict[str, Any]] = []
    for image in found:
        pinned = resolve(image)
        missing = [one for one in NEEDED if not any(there.startswith(one) for there in pinned.platforms)]
        if missing:
            raise ValueError(f"{image.tagged}에는 {', '.join(missing)}용이 없다. 여러 아키텍처로 나오는 태그를 고르자.")
        platforms = list(pinned.platforms)
        entries.append({"name": image.name, "tag": image.tag, "digest": pinned.digest, "platforms": platforms})
    return HEAD + yaml.safe_dump({"images": entries}, sort_keys=False)


HEAD = "# Made by `minik8s images lock`: what each tag of images.yaml pointed at. Do not edit by hand.\n"


def pull(engine: str, images: Iterable[Image]) -> list[Step]:
    """Fetch them, by digest where it is known, and give them the tags that the labs use."""
    steps = []
    for image in images:
        steps.append(Step((engine, "pull", image.pinned)))
        if image.digest:
            steps.append(Step((engine, "tag", image.pinned, image.tagged)))
    return steps


def into_kind(cluster: str, images: Iterable[Image]) -> list[Step]:
    """Copy them to every node of a kind cluster."""
    return [Step(("kind", "load", "docker-image", "--name", cluster, *(image.tagged for image in images)))]


def into_minikube(profile: str, images: Iterable[Image]) -> list[Step]:
    """Copy them to every node of a minikube profile."""
    return [Step(("minikube", "-p", profile, "image", "load", image.tagged)) for image in images]
