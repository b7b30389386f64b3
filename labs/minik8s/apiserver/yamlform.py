"""YAML bodies: read as sigs.k8s.io/yaml reads them (YAML to JSON values), and written as it writes them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from minik8s.apiserver.gojson import MAX_DEPTH

# libyaml's loader and dumper when PyYAML has them; the pure ones (in a web page) give the same values.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class YamlError(ValueError):
    """The text is not YAML; the message is go-yaml's (`yaml: line 2: ...`)."""


class _Loader(_SafeLoader):  # type: ignore[misc]
    """Scalars are what go-yaml v2 makes of them: no timestamps, no base-60 numbers, exponents without a dot."""


class _Dumper(_SafeDumper):  # type: ignore[misc]
    """Lists are not indented below their key, and no aliases are written."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_INT = r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|(?:0|[1-9][0-9_]*))"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"


def _resolvers() -> dict[str, list[tuple[str, Any]]]:
    kept = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
    table = {
        first: [(tag, pattern) for tag, pattern in rules if tag in kept]
        for first, rules in _SafeLoader.yaml_implicit_resolvers.items()
    }
    for first in "-+.0123456789":
        rules = table.setdefault(first, [])
        rules.append(("tag:yaml.org,2002:int", re.compile(_INT + r"\Z")))
        rules.append(("tag:yaml.org,2002:float", re.compile(_FLOAT + r"\Z")))
    return table


_Loader.yaml_implicit_resolvers = _resolvers()
for _letter in "yYnN":
    # go-yaml keeps YAML 1.1's one-letter booleans, which PyYAML left out.
    _Loader.yaml_implicit_resolvers[_letter].append(("tag:yaml.org,2002:bool", re.compile(r"[yYnN]\Z")))


def _int(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node).replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    if digits[:2] in ("0x", "0b", "0o"):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)


def _float(loader: Any, node: Any) -> int | float:
    value = float(loader.construct_scalar(node))
    return int(value) if value.is_integer() else value


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    loader.flatten_mapping(node)
    out: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        text = key if isinstance(key, str) else _key_text(key)
        if text in out:
            loader.duplicates.append(f'line {key_node.start_mark.line + 1}: key "{text}" already set in map')
        out[text] = loader.construct_object(value_node, deep=True)
    return out


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return str(key)
    raise YamlError(f"Unsupported map key of type: {type(key).__name__}")


def _bool(loader: Any, node: Any) -> bool:
    return loader.construct_scalar(node).lower() in ("y", "yes", "true", "on")


_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def loads(text: str) -> tuple[Any, list[str]]:
    """(the first document as JSON values, the repeated keys as go-yaml reports them). YamlError."""
    try:
        _check_depth(text)
    except yaml.MarkedYAMLError as error:
        raise YamlError(_message(error)) from None
    except yaml.YAMLError as error:
        raise YamlError(f"yaml: {error}") from None
    loader = _Loader(text)
    loader.duplicates = []
    try:
        value = loader.get_single_data()
        if "*" in text and _size(value, {}) > MAX_NODES:
            raise YamlError("yaml: document contains excessive aliasing")
        return value, list(loader.duplicates)
    except yaml.MarkedYAMLError as error:
        raise YamlError(_message(error)) from None
    except yaml.YAMLError as error:
        raise YamlError(f"yaml: {error}") from None
    except RecursionError:
        raise YamlError("yaml: exceeded max depth") from None
    finally:
        loader.dispose()


MAX_NODES = 400_000
"""How many values a document may have when its aliases are written out."""


def _size(value: Any, known: dict[int, int]) -> int:
    """How many values there are in `value`; what an alias repeats is counted each time, but looked at once."""
    if not isinstance(value, dict | list):
        return 1
    found = known.get(id(value))
    if found is None:
        items = value.values() if isinstance(value, dict) else value
        found = known[id(value)] = 1 + sum(_size(item, known) for item in items)
    return found


def _check_depth(text: str) -> None:
    """Refuse what nests too deep before a tree is built of it: libyaml's composer is recursive C."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError("yaml: exceeded max depth")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


# Where the pure scanner words an error differently from libyaml (and so from go-yaml).
_WORDS = {
    "mapping values are not allowed here": "mapping values are not allowed in this context",
    "sequence entries are not allowed here": "block sequence entries are not allowed in this context",
    "could not find expected ':'": "could not find expected ':'",
    "found character '\\t' that cannot start any token": "found character that cannot start any token",
    "expected <block end>, but found": "did not find expected key",
    "expected the node content, but found": "did not find expected node content",
    "expected <document start>, but found": "did not find expected <document start>",
}


def _message(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    for pure, libyaml in _WORDS.items():
        if problem.startswith(pure) or (pure.startswith("found character") and "cannot start any token" in problem):
            problem = libyaml
    line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
    if isinstance(error, yaml.parser.ParserError):
        line -= 1
    return f"yaml: line {line}: {problem}" if line > 0 else f"yaml: {problem}"


_NOT_TEXT = re.compile(rf"{_INT}\Z|{_FLOAT}\Z|[yYnN]\Z")


def _represent_text(dumper: Any, text: str) -> Any:
    """Text in several lines as a block, text that would be read as something else in double quotes, as go-yaml does."""
    style = None
    if "\n" in text:
        style = "|"
    elif _reads_otherwise(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_otherwise(text: str) -> bool:
    if not text or _NOT_TEXT.match(text):
        return True
    rules = yaml.SafeLoader.yaml_implicit_resolvers.get(text[0], ())
    return any(pattern.match(text) for _, pattern in rules)


_Dumper.add_representer(str, _represent_text)


def dumps(value: Any) -> str:
    """`value` as YAML with sorted keys, two spaces, and lists at the indentation of their key."""
    return str(yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=True, allow_unicode=True, default_flow_style=False,
                         width=2**31 - 1))  # fmt: skip


def _plain(value: Any) -> Any:
    """PyYAML represents only exact types, so frozen dicts and lists become ordinary ones."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
