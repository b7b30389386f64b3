"""Deep-immutable JSON values: what the store keeps and every reader shares.

An actor that wants to change an object builds a new one, usually by
`{**old, "status": {...}}`; what it did not touch stays shared, which is cheap in
time and memory and lets others find out by identity what has changed.
"""

from __future__ import annotations

from typing import Any, NoReturn

Object = dict[str, Any]


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("this object is shared and frozen; build a new one or use thaw(obj)")


class FrozenDict(dict[str, Any]):
    """A dict that refuses to change. It is a real dict, so json and `==` take it as one."""

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Object:
        return {key: thaw(value) for key, value in self.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return (freeze, (dict(self),))


class FrozenList(list[Any]):
    """A list that refuses to change."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [thaw(value) for value in self]

    def __reduce__(self) -> tuple[Any, ...]:
        return (freeze, (list(self),))


def freeze(value: Any) -> Any:
    """`value` with every dict and list in it frozen; parts already frozen are returned as they are."""
    kind = type(value)
    if kind is dict:
        # A copy in one go, then only what is not frozen yet: most values are plain or an older object's own.
        out = FrozenDict(value)
        for k, v in value.items():
            if type(v) in _LOOSE:
                _put(out, k, freeze(v))
        return out
    if kind is list or kind is tuple:
        return FrozenList([freeze(v) if type(v) in _LOOSE else v for v in value])
    return value


def thaw(value: Any) -> Any:
    """A deep copy of `value` made of ordinary dicts and lists."""
    if isinstance(value, dict):
        return {k: (v if type(v) in _PLAIN else thaw(v)) for k, v in value.items()}
    if isinstance(value, list):
        return [(v if type(v) in _PLAIN else thaw(v)) for v in value]
    return value


_PLAIN = frozenset({str, int, float, bool, type(None)})
_LOOSE = frozenset({dict, list, tuple})
_put = dict.__setitem__
