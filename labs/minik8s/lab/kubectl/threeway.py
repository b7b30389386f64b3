"""세 갈래 병합: 지난번에 적용한 것, 지금 파일, 서버의 것을 견주어 보낼 패치를 만든다.

As kubectl's client-side apply: lists that the API merges by a key are paired by it, all others are replaced whole.
The keys are the `patchMergeKey`s of the API types (staging/src/k8s.io/api).
"""

from __future__ import annotations

from typing import Any

from minik8s.objects import Object

_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("containers", "initContainers", "ephemeralContainers", "env", "volumes"), ("name",)),
    **dict.fromkeys(("imagePullSecrets", "secrets", "resourceClaims"), ("name",)),
    "ports": ("containerPort", "port"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "ownerReferences": ("uid",),
}
_WHOLE = frozenset({"networkpolicies.networking.k8s.io", "endpointslices.discovery.k8s.io"})
"""Their `ports` are replaced whole."""


def patch(last: Object, new: Object, live: Object, resource: str, *, strategic: bool) -> Object:
    """The patch that brings `live` to `new` and drops what `last` had and `new` has not; {} when there is nothing."""
    return _maps(last, new, live, strategic and resource not in _WHOLE)


def _maps(last: Object, new: Object, live: Object, pair: bool) -> Object:
    out: Object = {}
    for key, value in new.items():
        there: Any = live.get(key)
        before: Any = last.get(key)
        by = _key(key, value, there) if pair else ""
        if isinstance(value, dict) and isinstance(there, dict):
            inner: Any = _maps(before if isinstance(before, dict) else {}, value, there, pair)
            if inner:
                out[key] = inner
        elif by:
            inner = _lists(before if isinstance(before, list) else [], value, there, by)
            if inner:
                out[key] = inner
        elif value != there:
            out[key] = value
    out.update({key: None for key in last if key not in new and key in live})
    return out


def _key(field: str, new: Any, live: Any) -> str:
    """The key by which the items of both lists can be told apart; "" when there is none."""
    if not (isinstance(new, list) and isinstance(live, list) and new):
        return ""
    for key in _KEYS.get(field, ()):
        if all(isinstance(item, dict) and key in item for item in (*new, *live)) and all(
            len({str(item[key]) for item in items}) == len(items) for items in (new, live)
        ):
            return key
    return ""


def _lists(last: list[Any], new: list[Any], live: list[Any], by: str) -> list[Any]:
    before = {item[by]: item for item in last if isinstance(item, dict) and by in item}
    there = {item[by]: item for item in live}
    out = []
    for item in new:
        if item[by] not in there:
            out.append(item)
            continue
        inner = _maps(before.get(item[by], {}), item, there[item[by]], True)
        if inner:
            out.append({by: item[by], **inner})
    wanted = {item[by] for item in new}
    return out + [{by: name, "$patch": "delete"} for name in before if name not in wanted and name in there]
