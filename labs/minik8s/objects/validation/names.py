"""Checks of names and other short strings: each gives a list of messages, empty when all is well.

Source: apimachinery ``pkg/util/validation``, ``pkg/api/validate/content``, ``pkg/api/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

NameCheck = Callable[[str, bool], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_SUBDOMAIN_UNDERSCORE = _LABEL_UNDERSCORE + r"(\." + _LABEL_UNDERSCORE + ")*"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = r"\*\." + _SUBDOMAIN
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"

_LABEL_MESSAGE = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                  "start and end with an alphanumeric character")
_SUBDOMAIN_MESSAGE = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
                      "and must start and end with an alphanumeric character")
_UNDERSCORE_MESSAGE = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or "
                       "'.', and must start and end with an alphanumeric character")
_DNS1035_MESSAGE = ("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                    "alphabetic character, and end with an alphanumeric character")
_WILDCARD_MESSAGE = ("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
                     "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
                     "character")
_QUALIFIED_MESSAGE = ("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                      "alphanumeric character")
_VALUE_MESSAGE = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                  "must start and end with an alphanumeric character")
_CONFIG_MESSAGE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"


def _matcher(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


_is_label, _is_subdomain, _is_dns1035 = _matcher(_LABEL), _matcher(_SUBDOMAIN), _matcher(_DNS1035)
_is_underscore, _is_wildcard, _is_qualified = _matcher(_SUBDOMAIN_UNDERSCORE), _matcher(_WILDCARD), _matcher(_QUALIFIED)
_is_value, _is_config_key = _matcher(_LABEL_VALUE), _matcher(_CONFIG_KEY)
_is_header, _is_percent, _is_c = _matcher(_HTTP_HEADER), _matcher(_PERCENT), _matcher(_C_IDENTIFIER)


def regex_error(message: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    named = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {named}regex used for validation is '{pattern}')"


def max_characters(length: int) -> str:
    return f"must be no more than {length} characters"


def max_bytes(length: int) -> str:
    return f"must be no more than {length} bytes"


def in_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


@lru_cache(maxsize=4096)
def _dns1123_subdomain(value: str) -> tuple[str, ...]:
    errors = []
    if len(value.encode()) > 253:
        errors.append(max_characters(253))
    if not _is_subdomain(value):
        errors.append(regex_error(_SUBDOMAIN_MESSAGE, _SUBDOMAIN, "example.com"))
    return tuple(errors)


def dns1123_subdomain(value: str) -> list[str]:
    return list(_dns1123_subdomain(value))


def dns1123_subdomain_underscore(value: str) -> list[str]:
    errors = []
    if len(value.encode()) > 253:
        errors.append(max_characters(253))
    if not _is_underscore(value):
        errors.append(regex_error(_UNDERSCORE_MESSAGE, _SUBDOMAIN_UNDERSCORE, "example.com"))
    return errors


@lru_cache(maxsize=4096)
def _dns1123_label(value: str) -> tuple[str, ...]:
    errors = []
    if len(value.encode()) > 63:
        errors.append(max_characters(63))
    if not _is_label(value):
        if _is_subdomain(value):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_MESSAGE, _LABEL, "my-name", "123-abc"))
    return tuple(errors)


def dns1123_label(value: str) -> list[str]:
    return list(_dns1123_label(value))


def dns1035_label(value: str) -> list[str]:
    errors = []
    if len(value.encode()) > 63:
        errors.append(max_characters(63))
    if not _is_dns1035(value):
        errors.append(regex_error(_DNS1035_MESSAGE, _DNS1035, "my-name", "abc-123"))
    return errors


def wildcard_dns1123_subdomain(value: str) -> list[str]:
    errors = []
    if len(value.encode()) > 253:
        errors.append(max_characters(253))
    if not _is_wildcard(value):
        errors.append(regex_error(_WILDCARD_MESSAGE, _WILDCARD, "*.example.com"))
    return errors


@lru_cache(maxsize=4096)
def _qualified_name(value: str) -> tuple[str, ...]:
    errors: list[str] = []
    parts = value.split("/")
    if len(parts) > 2:
        text = regex_error(_QUALIFIED_MESSAGE, _QUALIFIED, "MyName", "my.name", "123-abc")
        return (f"a valid label key {text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    if len(parts) == 2:
        if not parts[0]:
            errors.append("prefix part must be non-empty")
        else:
            errors += ["prefix part " + m.replace("characters", "bytes", 1) if m.startswith("must be no more")
                       else "prefix part " + m for m in dns1123_subdomain(parts[0])]
    name = parts[-1]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        errors.append("name part " + max_bytes(63))
    if not _is_qualified(name):
        errors.append("name part " + regex_error(_QUALIFIED_MESSAGE, _QUALIFIED, "MyName", "my.name", "123-abc"))
    return tuple(errors)


def qualified_name(value: str) -> list[str]:
    """A label key, annotation key, finalizer or condition type: ``[prefix/]name``."""
    return list(_qualified_name(value))


@lru_cache(maxsize=4096)
def _label_value(value: str) -> tuple[str, ...]:
    errors = []
    if len(value.encode()) > 63:
        errors.append(max_bytes(63))
    if not _is_value(value):
        errors.append(regex_error(_VALUE_MESSAGE, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return tuple(errors)


def label_value(value: str) -> list[str]:
    return list(_label_value(value))


def valid_label(key: str, value: str) -> bool:
    return not _qualified_name(key) and not _label_value(value)


def _no_backsteps(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def config_map_key(value: str) -> list[str]:
    errors = []
    if len(value.encode()) > 253:
        errors.append(max_characters(253))
    if not _is_config_key(value):
        errors.append(regex_error(_CONFIG_MESSAGE, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return errors + _no_backsteps(value)


def port_number(port: int) -> list[str]:
    return [] if 1 <= port <= 65535 else [in_range(1, 65535)]


def port_name(name: str) -> list[str]:
    errors = []
    if len(name.encode()) > 15:
        errors.append(max_characters(15))
    if not re.fullmatch("[-a-z0-9]+", name):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        errors.append("must contain at least one letter (a-z)")
    if "--" in name:
        errors.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def percent(value: str) -> list[str]:
    if _is_percent(value):
        return []
    message = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(message, _PERCENT, "1%", "93%")]


def http_header(value: str) -> list[str]:
    message = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [] if _is_header(value) else [regex_error(message, _HTTP_HEADER, "X-Header-Name")]


def env_var_name(value: str) -> list[str]:
    """The relaxed rule: any printable ASCII but ``=``."""
    if not value:
        return ["environment variable name must be non-empty"]
    if all(" " <= char <= "~" and char != "=" for char in value):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def c_identifier(value: str) -> list[str]:
    message = ("a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
               "characters or '_'")
    return [] if _is_c(value) else [regex_error(message, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def domain_prefixed_path_host_and_path(value: str) -> tuple[str, str] | None:
    host, slash, path = value.partition("/")
    return (host, path) if slash and host and path else None


# -- names of objects: (name, prefix), prefix when a suffix will follow (generateName) --
def _masked(name: str, prefix: bool) -> str:
    return name[:-2] + "a" if prefix and len(name) > 1 and name.endswith("-") else name


def name_is_subdomain(name: str, prefix: bool) -> list[str]:
    return list(_dns1123_subdomain(_masked(name, prefix)))


def name_is_label(name: str, prefix: bool) -> list[str]:
    return list(_dns1123_label(_masked(name, prefix)))


def name_is_dns1035_label(name: str, prefix: bool) -> list[str]:
    return dns1035_label(_masked(name, prefix))


def path_segment_name(name: str, prefix: bool) -> list[str]:
    """Names of roles and bindings: anything that can be one segment of a URL path."""
    if not prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{c}'" for c in ("/", "%") if c in name]
