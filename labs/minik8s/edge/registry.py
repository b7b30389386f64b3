"""레지스트리에 다이제스트를 묻는다: OCI distribution의 v2 API, 토큰 인증까지.

Only what a lock needs: the digest of a tag's index and the platforms in it. Nothing is downloaded but manifests.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, build_opener

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
SINGLE = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
HOSTS = {"docker.io": "registry-1.docker.io"}
MOST_BYTES = 4 << 20


class RegistryError(RuntimeError):
    """The registry did not answer, or not with what was asked for; the text is Korean."""


class Pinned(NamedTuple):
    """The digest of an index (or of a manifest for one platform) and its platforms, as `linux/arm64/v8`."""

    digest: str
    platforms: tuple[str, ...]


class Registry:
    """`docker.io`, `registry.k8s.io`, or `127.0.0.1:5000` (plain HTTP on this machine only)."""

    def __init__(self, name: str, *, timeout: float = 30.0):
        host = HOSTS.get(name, name)
        local = host.partition(":")[0] in {"127.0.0.1", "localhost"}
        self._name, self._base, self._timeout = name, f"{'http' if local else 'https'}://{host}", timeout
        self._open = build_opener().open  # with the proxies of the environment
        self._token = ""

    def resolve(self, repository: str, tag: str) -> Pinned:
        """What `tag` of `repository` (`library/nginx`) points at now. RegistryError in Korean."""
        path = f"/v2/{quote(repository)}/manifests/{quote(tag)}"
        body, headers = self._get(f"{self._base}{path}", repository)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        told = headers.get("Docker-Content-Digest", digest)
        if told.startswith("sha256:") and told != digest:
            raise RegistryError(f"{self._name}/{repository}:{tag}: 받은 내용이 레지스트리가 말한 다이제스트와 다르다.")
        try:
            manifest = json.loads(body)
        except ValueError:
            raise RegistryError(f"{self._name}/{repository}:{tag}: 대답이 매니페스트가 아니다.") from None
        return Pinned(digest, self._platforms(manifest, repository))

    def _platforms(self, manifest: dict[str, Any], repository: str) -> tuple[str, ...]:
        if "manifests" not in manifest:  # one platform: its configuration knows which
            config = (manifest.get("config") or {}).get("digest", "")
            body, _ = self._get(f"{self._base}/v2/{quote(repository)}/blobs/{quote(config, safe=':')}", repository)
            return (_platform(json.loads(body)),)
        found = (_platform(one.get("platform") or {}) for one in manifest["manifests"])
        return tuple(sorted({name for name in found if "unknown" not in name}))  # attestations have no platform

    def _get(self, url: str, repository: str) -> tuple[bytes, Any]:
        try:
            return self._once(url)
        except HTTPError as error:
            if error.code != 401:
                raise RegistryError(_worded(self._name, repository, error)) from None
            self._token = self._login(error.headers.get("WWW-Authenticate", ""), repository)
        except (URLError, OSError) as error:
            raise RegistryError(_worded(self._name, repository, error)) from None
        try:
            return self._once(url)
        except (HTTPError, URLError, OSError) as error:
            raise RegistryError(_worded(self._name, repository, error)) from None

    def _once(self, url: str) -> tuple[bytes, Any]:
        request = Request(url, headers={"Accept": ", ".join((*INDEXES, *SINGLE, "application/octet-stream"))})
        if self._token:  # for the registry alone, not for the storage that it may redirect to
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        with self._open(request, timeout=self._timeout) as answer:
            return answer.read(MOST_BYTES), answer.headers

    def _login(self, challenge: str, repository: str) -> str:
        """A token for pulling, from where the challenge points (distribution spec: token authentication)."""
        words = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.lower().startswith("bearer") or "realm" not in words:
            raise RegistryError(f"{self._name}/{repository}: 로그인이 필요하다. 공개된 이미지인지 살피자.")
        asked = {"service": words.get("service", ""), "scope": words.get("scope") or f"repository:{repository}:pull"}
        try:
            with self._open(f"{words['realm']}?{urlencode(asked)}", timeout=self._timeout) as answer:
                found = json.loads(answer.read(MOST_BYTES))
        except (HTTPError, URLError, OSError, ValueError) as error:
            raise RegistryError(_worded(self._name, repository, error)) from None
        return str(found.get("token") or found.get("access_token") or "")


def _platform(found: dict[str, Any]) -> str:
    parts = (found.get("os", ""), found.get("architecture", ""), found.get("variant", ""))
    return "/".join(part for part in parts if part)


def _worded(registry: str, repository: str, error: Exception) -> str:
    if isinstance(error, HTTPError):
        why = {404: "그런 이미지나 태그가 없다", 401: "공개된 이미지가 아니다", 429: "너무 자주 물었다. 조금 뒤에 하자"}
        return f"{registry}/{repository}: {why.get(error.code, f'HTTP {error.code}')}."
    reason = getattr(error, "reason", error)
    return f"{registry}에 닿지 않는다({reason}). 네트워크와 프록시를 살피자(`minik8s doctor`)."
