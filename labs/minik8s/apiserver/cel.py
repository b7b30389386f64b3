"""CEL, the Common Expression Language, as Kubernetes uses it: rules of custom kinds and of admission policies.

An interpreter of the language and of the Kubernetes libraries (strings, lists, regex, sets, quantity, ip, cidr, url).
It does not check types beforehand and does not count costs: an expression that a real server refuses for its types
fails here when it is evaluated.

Values: int, Uint, float, str, bytes, bool, None, list, dict, datetime (timestamp), timedelta (duration), and the
library's own types in `cel_values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minik8s.apiserver import cel_functions, cel_operators
from minik8s.apiserver.cel_syntax import CelError, Node, parse
from minik8s.apiserver.cel_values import Optional, same, type_name

__all__ = ["CelError", "evaluate", "names", "parse", "uses"]

Scope = Mapping[str, Any]
_ESCAPED = {
    "__dot__": ".",
    "__dash__": "-",
    "__slash__": "/",
    "__underscores__": "__",
}
_MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})


def evaluate(text: str, variables: Scope) -> Any:
    """The value of an expression. CelError when it is none, or fails."""
    try:
        return _eval(parse(text), variables)
    except RecursionError:
        raise CelError("expression recursion limit exceeded: 250") from None


def uses(text: str, name: str) -> bool:
    """Whether the expression mentions a variable."""
    return name in names(parse(text))


def names(node: Any) -> set[str]:
    """The identifiers of a tree."""
    if isinstance(node, tuple):
        if len(node) == 2 and node[0] == "id":
            return {node[1]}
        return {name for part in node for name in names(part)}
    return set()


def _eval(node: Node, scope: Scope) -> Any:
    return _EVALUATORS[node[0]](node, scope)


def _literal(node: Node, scope: Scope) -> Any:
    return node[1]


def _identifier(node: Node, scope: Scope) -> Any:
    if node[1] in scope:
        return scope[node[1]]
    if node[1] in cel_functions.TYPES:
        return cel_functions.TYPES[node[1]]
    raise CelError(f"undeclared reference to '{node[1]}' (in container '')")


def _select(node: Node, scope: Scope) -> Any:
    target = _eval(node[1], scope)
    optional = node[3] or isinstance(target, Optional)
    if isinstance(target, Optional):
        if not target.present:
            return target
        target = target.value
    if optional:
        name = field_name(target, node[2])
        return Optional.of(target[name]) if name is not None else Optional.none()
    name = field_name(target, node[2])
    if name is None:
        raise CelError(f"no such key: {node[2]}")
    return target[name]


def field_name(target: Any, name: str) -> str | None:
    """The key that a field selection means, by Kubernetes' escaping; None when the value has no such key."""
    if not isinstance(target, dict):
        raise CelError(f"no such overload: {type_name(target)}.{name}")
    if name in target:
        return name
    plain = name
    for escaped, sign in _ESCAPED.items():
        plain = plain.replace(escaped, sign)
    if plain.startswith("__") and plain.endswith("__") and len(plain) > 4:
        plain = plain[2:-2]
    return plain if plain in target else None


def _index(node: Node, scope: Scope) -> Any:
    target, key = _eval(node[1], scope), _eval(node[2], scope)
    optional = node[3] or isinstance(target, Optional)
    if isinstance(target, Optional):
        if not target.present:
            return target
        target = target.value
    try:
        value = _at(target, key)
    except CelError:
        if optional:
            return Optional.none()
        raise
    return Optional.of(value) if optional else value


def _at(target: Any, key: Any) -> Any:
    if isinstance(target, list):
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        if isinstance(key, bool) or not isinstance(key, int):
            raise CelError("no such overload")
        if not 0 <= key < len(target):
            raise CelError(f"index out of bounds: {key}")
        return target[key]
    if isinstance(target, dict):
        for known, value in target.items():
            if same(known, key):
                return value
        raise CelError(f"no such key: {key}")
    raise CelError("no such overload")


def _list(node: Node, scope: Scope) -> Any:
    return [_eval(item, scope) for item in node[1]]


def _map(node: Node, scope: Scope) -> Any:
    return {_eval(key, scope): _eval(value, scope) for key, value in node[1]}


def _struct(node: Node, scope: Scope) -> Any:
    return {key: _eval(value, scope) for key, value in node[2]}


def _conditional(node: Node, scope: Scope) -> Any:
    return _eval(node[2] if _boolean(_eval(node[1], scope)) else node[3], scope)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CelError("no such overload")
    return value


def _logical(node: Node, scope: Scope) -> bool:
    """`&&` and `||`: one side may fail when the other one decides."""
    decides = node[0] == "||"
    fault: CelError | None = None
    for side in node[1:]:
        try:
            if _boolean(_eval(side, scope)) is decides:
                return decides
        except CelError as error:
            fault = fault or error
    if fault is not None:
        raise fault
    return not decides


def _operator(node: Node, scope: Scope) -> Any:
    return cel_operators.operate(node[1], [_eval(item, scope) for item in node[2]])


def _call(node: Node, scope: Scope) -> Any:
    target, name, arguments = node[1], node[2], node[3]
    if target is None and name == "has" and len(arguments) == 1:
        return _has(arguments[0], scope)
    if target is not None and name in _MACROS and len(arguments) >= 2 and arguments[0][0] == "id":
        return _macro(name, _eval(target, scope), arguments, scope)
    if target is not None and name in ("optMap", "optFlatMap"):
        return _optional_map(name, _eval(target, scope), arguments, scope)
    if target is not None and name == "bind" and target == ("id", "cel"):
        return _eval(arguments[2], {**scope, arguments[0][1]: _eval(arguments[1], scope)})
    values = [_eval(item, scope) for item in arguments]
    if target is None:
        return cel_functions.call(name, values)
    if target[0] == "id" and target[1] not in scope and f"{target[1]}.{name}" in cel_functions.FUNCTIONS:
        return cel_functions.call(f"{target[1]}.{name}", values)
    return cel_functions.method(name, _eval(target, scope), values)


def _has(node: Node, scope: Scope) -> bool:
    if node[0] != "sel":
        raise CelError("invalid argument to has() macro")
    target = _eval(node[1], scope)
    if isinstance(target, Optional):
        target = target.value if target.present else {}
    name = field_name(target, node[2])
    return name is not None and target[name] is not None


def _macro(name: str, target: Any, arguments: tuple[Node, ...], scope: Scope) -> Any:
    if not isinstance(target, list | dict):
        raise CelError("no such overload")
    variables, body = arguments[:1], arguments[1:]
    if arguments[1][0] == "id" and len(arguments) >= 3 and name != "map":
        variables, body = arguments[:2], arguments[2:]
    scopes = [_bound(variables, target, index, item, scope) for index, item in enumerate(target)]
    if name in ("all", "exists"):
        return _quantified(name == "all", body[0], scopes)
    if name in ("exists_one", "existsOne"):
        return sum(_boolean(_eval(body[0], inner)) for inner in scopes) == 1
    if name == "filter":
        items = list(target)
        return [item for item, inner in zip(items, scopes, strict=True) if _boolean(_eval(body[0], inner))]
    if len(body) == 2:
        return [_eval(body[1], inner) for inner in scopes if _boolean(_eval(body[0], inner))]
    return [_eval(body[0], inner) for inner in scopes]


def _bound(variables: tuple[Node, ...], target: Any, index: int, item: Any, scope: Scope) -> Scope:
    if len(variables) == 1:
        return {**scope, variables[0][1]: item}
    pair = (item, target[item]) if isinstance(target, dict) else (index, item)
    return {**scope, variables[0][1]: pair[0], variables[1][1]: pair[1]}


def _quantified(every: bool, body: Node, scopes: list[Scope]) -> bool:
    fault: CelError | None = None
    for inner in scopes:
        try:
            if _boolean(_eval(body, inner)) is not every:
                return not every
        except CelError as error:
            fault = fault or error
    if fault is not None:
        raise fault
    return every


def _optional_map(name: str, target: Any, arguments: tuple[Node, ...], scope: Scope) -> Any:
    if not isinstance(target, Optional) or not target.present:
        return Optional.none()
    value = _eval(arguments[1], {**scope, arguments[0][1]: target.value})
    return value if name == "optFlatMap" else Optional.of(value)


_EVALUATORS = {
    "lit": _literal,
    "id": _identifier,
    "sel": _select,
    "index": _index,
    "list": _list,
    "map": _map,
    "struct": _struct,
    "?:": _conditional,
    "&&": _logical,
    "||": _logical,
    "op": _operator,
    "call": _call,
}
