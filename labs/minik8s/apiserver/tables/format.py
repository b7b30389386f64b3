"""Texts of table cells: ages, selectors, container lists.

Sources: k8s.io/apimachinery/pkg/util/duration, metav1.FormatLabelSelector, pkg/printers/internalversion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minik8s.objects import Object
from minik8s.objects.meta import parse_time

UNKNOWN = "<unknown>"
NONE = "<none>"
UNSET = "<unset>"


def human_duration(seconds: float) -> str:
    """A span in at most two units and three digits: `45s`, `3m20s`, `5h`, `2d4h`, `400d`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(hours // 24, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{hours // 24}d"
    if hours < 24 * 365 * 8:
        return _two(hours // 24 // 365, "y", hours // 24 % 365, "d")
    return f"{hours // 24 // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def since(timestamp: str | None, now: float) -> str:
    """Time since an RFC 3339 timestamp, `<unknown>` when there is none."""
    return human_duration(now - parse_time(timestamp)) if timestamp else UNKNOWN


def age(obj: Object, now: float) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def labels_text(labels: Mapping[str, str] | None) -> str:
    """`a=1,b=2`, or `<none>`."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else NONE


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A metav1.LabelSelector as `kubectl get -l` takes it; "" when it selects everything or nothing."""
    if not selector:
        return ""
    parts = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or ():
        parts.append((term["key"], _requirement(term)))
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def _requirement(term: Mapping[str, Any]) -> str:
    key, operator, values = term["key"], term["operator"], ",".join(sorted(term.get("values") or ()))
    if operator == "In":
        return f"{key} in ({values})"
    if operator == "NotIn":
        return f"{key} notin ({values})"
    return f"!{key}" if operator == "DoesNotExist" else str(key)


def containers(pod_spec: Mapping[str, Any] | None) -> list[str]:
    """The cells Containers and Images of a pod template's spec."""
    items = (pod_spec or {}).get("containers") or ()
    return [",".join(c.get("name", "") for c in items), ",".join(c.get("image", "") for c in items)]


def template_spec(obj: Object) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = (obj.get("spec", {}).get("template") or {}).get("spec") or {}
    return spec


def limited(items: Sequence[str], count: int | None = None, most: int = 3, empty: str = UNSET) -> str:
    """The first `most` items; `a,b,c + 2 more...` when `count` says that there are more."""
    total = len(items) if count is None else count
    text = ",".join(items[:most])
    if total > most:
        return f"{text} + {total - most} more..."
    return text or empty


def boolean(value: bool | None) -> str:
    return UNSET if value is None else str(bool(value))


def access_modes(modes: Iterable[str] | None) -> str:
    """`RWO,ROX,RWX,RWOP` for the modes that are present, in this order."""
    present = set(modes or ())
    return ",".join(short for mode, short in _ACCESS_MODES if mode in present)


_ACCESS_MODES = (
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
)


def condition(obj: Mapping[str, Any], wanted: str) -> Mapping[str, Any] | None:
    """The condition of this type in `status.conditions`."""
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry.get("type") == wanted:
            found: Mapping[str, Any] = entry
            return found
    return None


def condition_true(obj: Mapping[str, Any], wanted: str) -> bool:
    found = condition(obj, wanted)
    return found is not None and found.get("status") == "True"
