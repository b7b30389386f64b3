"""실습이 쓰는 이미지의 목록(data/images.yaml): 작고, 여러 아키텍처로 나오고, 한 파일에만 적혀 있다."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import NamedTuple

import yaml

from minik8s.edge.plan import Step


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
    def pinned(self) -> str:
        """By digest where one is known: what is pulled."""
        return f"{self.name}@{self.digest}" if self.digest else self.tagged


def listed() -> list[Image]:
    """The images of the labs, in the order of the file."""
    text = files("minik8s.edge").joinpath("data/images.yaml").read_text(encoding="utf-8")
    return [Image(i["name"], str(i["tag"]), i.get("digest") or "", i["used"]) for i in yaml.safe_load(text)["images"]]


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
