"""Container images: how names are read, which registries know what, and what an image brings with it.

The registry's content is data (`data/images.json`); a test or a lab adds its own with `Registry.add`.
Names follow github.com/distribution/reference; errors are containerd's as the kubelet passes them on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from minik8s.objects.frozen import Object

_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class InvalidName(ValueError):
    """Not an image reference."""


class PullError(Exception):
    """A pull that failed, in the runtime's words."""


class Reference(NamedTuple):
    """`nginx` read in full: registry docker.io, repository library/nginx, tag latest, digest ""."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


@lru_cache(maxsize=4096)
def parse_reference(image: str) -> Reference:
    """InvalidName unless `image` is [REGISTRY/]NAME[:TAG][@DIGEST]."""
    rest, _, digest = image.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, path = head, tail
    else:
        registry, path = "docker.io", rest
    path, _, tag = path.partition(":")
    if registry in ("docker.io", "index.docker.io"):
        registry = "docker.io"
        if "/" not in path:
            path = f"library/{path}"
    bad = not _NAME.fullmatch(path) or (tag and not _TAG.fullmatch(tag)) or (digest and not _DIGEST.fullmatch(digest))
    if bad or (":" in rest.rpartition("/")[2] and not tag):
        raise InvalidName("invalid reference format")
    return Reference(registry, path, tag or ("" if digest else "latest"), digest)


@dataclass(frozen=True, slots=True)
class Image:
    """What a pulled image is: who it is, how large, and what runs in it when nobody says otherwise."""

    reference: Reference
    size: int
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: int = 0
    stop_signal: str = "SIGTERM"
    files: Mapping[str, str] = field(default_factory=dict)
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    programs: tuple[str, ...] | None = None

    @property
    def digest(self) -> str:
        return self.reference.digest or f"sha256:{hashlib.sha256(str(self.reference).encode()).hexdigest()}"

    @property
    def id(self) -> str:
        """`imageID` of a container status."""
        return f"{self.reference.name}@{self.digest}"


class Entry(NamedTuple):
    """A repository in a registry: `tags` are exact or patterns; private ones want credentials of `registry`."""

    name: str
    tags: tuple[re.Pattern[str], ...]
    config: Mapping[str, Any]
    private: bool


class Registry:
    """All registries that the cluster's nodes can reach."""

    def __init__(self, entries: Iterable[Object] | None = None):
        self._entries: dict[str, Entry] = {}
        self.reachable = True
        self.accounts: dict[str, tuple[str, str]] = {"registry.example.com": ("student", "kubernetes")}
        for entry in _known() if entries is None else entries:
            self._enter(entry)

    def add(self, name: str, *, size: int = 50_000_000, tags: Iterable[str] = (".*",), **config: Any) -> None:
        """Make the image `name` known. `config`: entrypoint, command, env, workdir, stop_signal, files, behaviour."""
        self._enter({"name": name, "size": size, "tags": list(tags), **config})

    def names(self) -> list[str]:
        return sorted(self._entries)

    def pull(self, image: str, secrets: Iterable[Object] = ()) -> Image:
        """The image that a pull brings. InvalidName, or PullError in containerd's words."""
        reference = parse_reference(image)
        if not self.reachable:
            host = "registry-1.docker.io" if reference.registry == "docker.io" else reference.registry
            raise PullError(
                f'{_failed(reference)}failed to do request: Head "https://{host}/v2/{reference.repository}/manifests/'
                f'{reference.tag or reference.digest}": dial tcp: lookup {host}: i/o timeout'
            )
        entry = self._entries.get(reference.name)
        if entry is None and reference.registry not in _REGISTRIES and reference.registry not in self.accounts:
            host = reference.registry
            raise PullError(
                f'{_failed(reference)}failed to do request: Head "https://{host}/v2/{reference.repository}/manifests/'
                f'{reference.tag or reference.digest}": dial tcp: lookup {host}: no such host'
            )
        if entry is None or (entry.private and not self._allowed(reference.registry, secrets)):
            raise PullError(
                f"{_failed(reference, 'Unknown')}pull access denied, repository does not exist or may require "
                "authorization: server message: insufficient_scope: authorization failed"
            )
        if not reference.digest and not any(p.fullmatch(reference.tag) for p in entry.tags):
            raise PullError(f"{_failed(reference, 'NotFound')}{reference}: not found")
        return _image(reference, entry.config)

    def accessible(self, image: str, secrets: Iterable[Object] = ()) -> bool:
        """Whether a pod with these secrets may use the image once it is on the machine (KEP-2535)."""
        reference = parse_reference(image)
        entry = self._entries.get(reference.name)
        return entry is None or not entry.private or self._allowed(reference.registry, secrets)

    def _allowed(self, registry: str, secrets: Iterable[Object]) -> bool:
        wanted = self.accounts.get(registry)
        return any(_credentials(secret, registry) == wanted for secret in secrets) if wanted else True

    def _enter(self, entry: Object) -> None:
        reference = parse_reference(entry["name"])
        tags = tuple(re.compile(t) for t in entry.get("tags", (".*",)))
        self._entries[reference.name] = Entry(reference.name, tags, entry, bool(entry.get("private")))


_REGISTRIES = frozenset({"docker.io", "registry.k8s.io", "gcr.io", "quay.io", "ghcr.io", "mcr.microsoft.com"})


def _failed(reference: Reference, code: str = "Unknown") -> str:
    what = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": '
    return f"rpc error: code = {code} desc = {what}"


def _image(reference: Reference, config: Mapping[str, Any]) -> Image:
    programs = config.get("programs")
    return Image(
        reference=reference,
        size=int(config.get("size", 50_000_000)),
        entrypoint=tuple(config.get("entrypoint", ())),
        command=tuple(config.get("command", ())),
        env={**_PATH, **config.get("env", {})},
        workdir=config.get("workdir", "/"),
        user=int(config.get("user", 0)),
        stop_signal=config.get("stop_signal", "SIGTERM"),
        files=config.get("files", {}),
        behaviour=config.get("behaviour", {}),
        programs=tuple(programs) if programs is not None else None,
    )


_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def _credentials(secret: Object, registry: str) -> tuple[str, str] | None:
    """(user, password) for `registry` in a kubernetes.io/dockerconfigjson Secret."""
    raw = (secret.get("data") or {}).get(".dockerconfigjson")
    try:
        auths = json.loads(base64.b64decode(raw))["auths"] if raw else {}
        entry = auths.get(registry) or auths.get(f"https://{registry}") or {}
        if entry.get("auth"):
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
            return user, password
        return entry.get("username", ""), entry.get("password", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@lru_cache(maxsize=1)
def _known() -> tuple[Object, ...]:
    text = files("minik8s.kubelet").joinpath("data/images.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["images"])
