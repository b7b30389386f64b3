"""Resource names and amounts. Source: ``pkg/apis/core/validation`` and ``pkg/apis/core/helper/helpers.go``."""

from __future__ import annotations

from collections.abc import Callable, Collection

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import NANOS, Quantity, parse_quantity
from minik8s.objects.validation import names
from minik8s.objects.validation.field import (
    NOT_FOUND,
    Errors,
    FieldError,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.meta import NEGATIVE

NameRule = Callable[[Errors, str, str], None]

_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_OBJECT_COUNTS = frozenset({"pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
                            "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"})
_QUOTA = _CONTAINER | _OBJECT_COUNTS | {
    "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage"}
_STANDARD = _QUOTA | {"storage"}
_INTEGERS = _OBJECT_COUNTS
POD_LEVEL = ("cpu", "hugepages-", "memory")


def is_huge_pages(name: str) -> bool:
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    return not (is_native(name) or name.startswith("requests.")) and not names.qualified_name("requests." + name)


def overcommit_allowed(name: str) -> bool:
    return is_native(name) and not is_huge_pages(name)


def is_standard_quota(name: str) -> bool:
    return name in _QUOTA or is_huge_pages(name) or name.startswith("requests.hugepages-")


def resource_name(errors: Errors, name: str, path: str) -> bool:
    messages = names.qualified_name(name)
    messages_invalid(errors, path, name, messages)
    if messages:
        return False
    if "/" not in name and not (name in _STANDARD or is_huge_pages(name) or name.startswith("requests.hugepages-")):
        errors.append(invalid(path, name, "must be a standard resource type or fully qualified"))
        return False
    return True


def container_resource_name(errors: Errors, name: str, path: str) -> None:
    if name in _CONTAINER:
        return
    resource_name(errors, name, path)
    if "/" not in name:
        if not is_huge_pages(name):
            errors.append(invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        errors.append(invalid(path, name, "doesn't follow extended resource name standard"))


def pod_resource_name(errors: Errors, name: str, path: str) -> None:
    if resource_name(errors, name, path) and name not in ("cpu", "memory") and not is_huge_pages(name):
        errors.append(not_supported(path, name, ("cpu", "hugepages-", "memory")))


def quota_resource_name(errors: Errors, name: str, path: str) -> None:
    resource_name(errors, name, path)
    if "/" not in name and not is_standard_quota(name):
        errors.append(invalid(path, name, "must be a standard resource for quota"))


def nonnegative_quantity(errors: Errors, text: str, path: str) -> None:
    if text.startswith("-") and parse_quantity(text).nanos < 0:
        errors.append(invalid(path, text, NEGATIVE))


def positive_quantity(errors: Errors, text: str, path: str) -> bool:
    if parse_quantity(text).nanos > 0:
        return True
    errors.append(invalid(path, text, "must be greater than zero"))
    return False


def quantity_value(errors: Errors, name: str, text: str, path: str) -> None:
    """An amount of a resource: not negative; whole for resources that are counted."""
    nonnegative_quantity(errors, text, path)
    if name not in _CONTAINER and (name in _INTEGERS or is_extended(name)) and parse_quantity(text).milli() % 1000:
        errors.append(invalid(path, text, "must be an integer"))


def basic_resource(errors: Errors, text: str, path: str) -> None:
    value = parse_quantity(text).value()
    if value < 0:
        errors.append(invalid(path, value, "must be a valid resource quantity"))


def _huge_page_multiple(errors: Errors, name: str, text: str, path: str) -> None:
    size = parse_quantity(name.removeprefix("hugepages-")).nanos
    amount = parse_quantity(text).nanos
    if size <= 0 or size % NANOS or amount % size:
        errors.append(invalid(path, text, f"{text} is not positive integer multiple of {name}"))


def requirements(errors: Errors, value: Object | None, path: str, claims: Collection[str] = (),
                 rule: NameRule = container_resource_name) -> None:
    """Requests and limits of a container (or, with ``pod_resource_name``, of a pod)."""
    if not value:
        return
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    computed = huge = False
    for name, text in limits.items():
        at = f"{path}.limits[{name}]"
        rule(errors, name, at)
        quantity_value(errors, name, text, at)
        if is_huge_pages(name):
            huge = True
            _huge_page_multiple(errors, name, text, at)
        computed = computed or name in ("cpu", "memory")
    for name, text in requests.items():
        at = f"{path}.requests[{name}]"
        rule(errors, name, at)
        quantity_value(errors, name, text, at)
        _request_and_limit(errors, name, text, limits.get(name), path)
        if is_huge_pages(name):
            huge = True
            _huge_page_multiple(errors, name, text, at)
        computed = computed or name in ("cpu", "memory")
    if huge and not computed:
        errors.append(forbidden(path, "HugePages require cpu or memory"))
    if value.get("claims"):
        _claims(errors, value["claims"], claims, f"{path}.claims")


def _request_and_limit(errors: Errors, name: str, text: str, limit: str | None, path: str) -> None:
    if limit is None:
        if not overcommit_allowed(name):
            errors.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
    elif text != limit:
        asked, most = parse_quantity(text), parse_quantity(limit)
        if asked != most and not overcommit_allowed(name):
            errors.append(invalid(f"{path}.requests", text, f"must be equal to {name} limit of {limit}"))
        elif asked > most:
            errors.append(invalid(f"{path}.requests", text, f"must be less than or equal to {name} limit of {limit}"))


def _claims(errors: Errors, items: list[Object], known: Collection[str], path: str) -> None:
    seen: set[str] = set()
    for i, claim in enumerate(items):
        at, name, request = f"{path}[{i}]", claim.get("name", ""), claim.get("request", "")
        if not name:
            errors.append(required(at))
        elif name in seen:
            errors.append(duplicate(at, name))
        else:
            key = name
            if request:
                messages_invalid(errors, f"{at}.request", request, names.dns1123_label(request))
                key = f"{name}/{request}"
            if key in seen or (not request and any(s.startswith(f"{name}/") for s in seen)):
                errors.append(duplicate(at, key))
            seen.add(key)
        if name not in known:
            detail = "must be one of the names in pod.spec.resourceClaims"
            detail += ": " + ", ".join(sorted(known)) if known else " which is empty"
            errors.append(FieldError(NOT_FOUND, at, name, detail))


def quantity_of(resources: dict[str, str] | None, name: str) -> Quantity | None:
    text = (resources or {}).get(name)
    return None if text is None else parse_quantity(text)
