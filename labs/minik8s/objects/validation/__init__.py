"""Validation per kind: pure functions from decoded, defaulted objects to lists of field errors.

One file per API group holds the rules (``RULES``), in the order in which Kubernetes 1.36 looks at fields; the words are
Kubernetes' own. ``field.invalid_status`` makes the answer of 422 of a list of errors.
"""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.validation import (
    apps,
    autoscaling,
    batch,
    certificates,
    core,
    extensions,
    meta,
    networking,
    others,
    policy,
    rbac,
)
from minik8s.objects.validation.field import FieldError, invalid_status
from minik8s.objects.validation.names import name_is_subdomain, path_segment_name
from minik8s.objects.validation.rules import Rules, plain

__all__ = ["FieldError", "invalid_status", "rules_of", "validate_create", "validate_status_update",
           "validate_subresource_update", "validate_update"]

RULES: dict[tuple[str, str], Rules] = {
    **core.RULES, **apps.RULES, **batch.RULES, **autoscaling.RULES, **policy.RULES, **networking.RULES, **rbac.RULES,
    **others.RULES, **certificates.RULES, **extensions.RULES}
_PLAIN = {namespaced: plain(name_is_subdomain, namespaced=namespaced) for namespaced in (True, False)}


def rules_of(kind: Kind) -> Rules:
    """The kind's rules; kinds without any of their own (custom resources) have their metadata checked."""
    return RULES.get((kind.group, kind.kind)) or _PLAIN[kind.namespaced]


def validate_create(kind: Kind, obj: Object) -> list[FieldError]:
    """Errors of an object about to be created: its name, uid and defaults are set by now."""
    errors: list[FieldError] = []
    rules_of(kind).create(errors, obj)
    return errors


def validate_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    """Errors of replacing ``old``. Parts that are the very same object in both are not looked at again."""
    errors = common_update(kind, new, old)
    rules_of(kind).update(errors, new, old)
    return errors


def common_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    """What the registry asks of every update, before the kind's own rules (``rest.validateCommonFields``)."""
    errors: list[FieldError] = []
    own, before = new["metadata"], old["metadata"]
    if own is not before:
        meta.object_meta(errors, own, kind.namespaced, path_segment_name, core_finalizers=False)
        meta.object_meta_update(errors, own, before, core_finalizers=False)
    return errors


def validate_status_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    errors = common_update(kind, new, old)
    rules_of(kind).status(errors, new, old)
    return errors


def validate_subresource_update(kind: Kind, subresource: str, new: Object, old: Object) -> list[FieldError]:
    """Updates through ``status`` and special subresources (``resize``, ``ephemeralcontainers``, ``finalize``)."""
    rules = rules_of(kind)
    errors = common_update(kind, new, old)
    (rules.status if subresource == "status" else rules.subresources.get(subresource, rules.update))(errors, new, old)
    return errors
