"""Small readers of `metadata`, and the time formats of the API (RFC 3339, UTC)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from minik8s.objects.frozen import Object

_EMPTY: dict[str, Any] = {}


def name(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))


def namespace(obj: Object) -> str:
    """The namespace, or "" for cluster-scoped objects."""
    return str(obj["metadata"].get("namespace", ""))


def key(obj: Object) -> str:
    """`namespace/name`, or `name` for cluster-scoped objects: the key of work queues and caches."""
    meta = obj["metadata"]
    space = meta.get("namespace")
    return f"{space}/{meta['name']}" if space else str(meta["name"])


def split_key(value: str) -> tuple[str, str]:
    """`namespace/name` -> (namespace, name); cluster-scoped keys give ("", name)."""
    space, _, last = value.rpartition("/")
    return space, last


def uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or _EMPTY


def annotations_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or _EMPTY


def controller_of(obj: Object) -> Object | None:
    """The owner reference with `controller: true`, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Object = reference
            return found
    return None


def owner_ref(owner: Object, *, controller: bool = True) -> Object:
    """An owner reference to `owner`, as `metav1.NewControllerRef` makes it."""
    reference: Object = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    if controller:
        reference |= {"controller": True, "blockOwnerDeletion": True}
    return reference


@lru_cache(maxsize=4096)
def _second(t: int) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(t: float) -> str:
    """metav1.Time on the wire: whole seconds, `2026-01-01T00:00:00Z`."""
    return _second(int(t))


def rfc3339_micro(t: float) -> str:
    """metav1.MicroTime on the wire: `2026-01-01T00:00:00.000000Z`."""
    whole = int(t)
    return f"{_second(whole)[:-1]}.{min(999_999, round((t - whole) * 1e6)):06d}Z"


@lru_cache(maxsize=4096)
def parse_time(text: str) -> float:
    """RFC 3339 text -> seconds since the Unix epoch. ValueError when it is none."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.timestamp()
