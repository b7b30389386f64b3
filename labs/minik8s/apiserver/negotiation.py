"""Which representation a client accepts: JSON or YAML, and plain, Table or PartialObjectMetadata.

Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from minik8s.apiserver.errors import generic
from minik8s.wire import StatusError, not_acceptable

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_NAMES = f"{JSON}, {YAML}, {PROTOBUF}"


@dataclass(slots=True, frozen=True)
class Output:
    """What to answer with: `media` is the content type, `form` "", "Table" or "PartialObjectMetadata(List)"."""

    media: str = JSON
    form: str = ""
    form_version: str = "v1"


PLAIN = Output()


@dataclass(slots=True, frozen=True)
class Clause:
    """One alternative of an Accept header."""

    media: str
    params: dict[str, str]
    q: float


@lru_cache(maxsize=256)
def clauses(accept: str) -> tuple[Clause, ...]:
    """The alternatives of an Accept header, the preferred ones first."""
    out = []
    for part in accept.split(","):
        media, *rest = [piece.strip() for piece in part.split(";")]
        params = {name.strip(): value.strip().strip('"') for name, _, value in (piece.partition("=") for piece in rest)}
        try:
            q = float(params.pop("q", "1"))
        except ValueError:
            q = 1.0
        if media:
            out.append(Clause(media.lower(), params, q))
    return tuple(sorted(out, key=lambda clause: -clause.q))


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Output:
    """The output for an Accept header of a resource request. StatusError 406."""
    if not accept:
        return PLAIN
    found = clauses(accept)
    for clause in found:
        media = _media(clause.media)
        if not media:
            continue
        form, group = clause.params.get("as", ""), clause.params.get("g", "")
        version = clause.params.get("v", "v1")
        if not form:
            return Output(media)
        forms = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
        if form in forms and group in ("meta.k8s.io", "") and version in ("v1", "v1beta1"):
            return Output(media, form, version)
    if any(_media(clause.media) or clause.media == PROTOBUF for clause in found):
        raise not_acceptable(f"only the following media types are accepted: {_NAMES}")
    raise generic(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {_NAMES}")


def _media(media: str) -> str:
    if media in ("*/*", "application/*", JSON):
        return JSON
    return YAML if media == YAML else ""


def error_media(accept: str) -> str:
    """The content type of an error: as the client asked, JSON when it asks for what there is not."""
    if "yaml" not in accept:
        return JSON
    try:
        return negotiate(accept).media
    except StatusError:
        return JSON


def content_type(header: str) -> str:
    """The media type of a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()


def unknown_body() -> StatusError:
    """415 for a body that cannot be read."""
    why = f"the body of the request was in an unknown format - accepted media types include: {_NAMES}"
    return StatusError(415, "UnsupportedMediaType", why)


def unknown_patch() -> StatusError:
    """415 for a patch type that the route does not consume."""
    return generic(415, "UnsupportedMediaType", "415: Unsupported Media Type")
