"""Defaults of apiextensions, apiregistration and admissionregistration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.objects.defaults.pods import default
from minik8s.objects.frozen import Object

ADMISSION = "admissionregistration.k8s.io"


def _crd(obj: Object) -> None:
    """``pkg/apis/apiextensions/v1/defaults.go``; accepted names are the naming controller's."""
    spec = obj["spec"]
    default(spec["names"], "singular", spec["names"].get("kind", "").lower())
    if not spec["names"].get("listKind") and spec["names"].get("kind"):
        spec["names"]["listKind"] = spec["names"]["kind"] + "List"
    default(spec, "conversion", {"strategy": "None"})
    webhook = spec["conversion"].get("webhook")
    if webhook is not None and (service := (webhook.get("clientConfig") or {}).get("service")) is not None:
        default(service, "port", 443)
    if not obj["status"].get("storedVersions"):
        obj["status"]["storedVersions"] = [v["name"] for v in spec.get("versions") or () if v.get("storage")]


def _api_service(obj: Object) -> None:
    if (service := obj["spec"].get("service")) is not None:
        default(service, "port", 443)


def _match_resources(match: Any) -> None:
    if match is not None:
        default(match, "matchPolicy", "Equivalent")
        default(match, "namespaceSelector", {})
        default(match, "objectSelector", {})
        for rule in [*(match.get("resourceRules") or ()), *(match.get("excludeResourceRules") or ())]:
            default(rule, "scope", "*")


def _policy(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "failurePolicy", "Fail")
    _match_resources(spec.get("matchConstraints"))


def _policy_binding(obj: Object) -> None:
    _match_resources(obj["spec"].get("matchResources"))


def _webhooks(extra: Object) -> Callable[[Object], None]:
    def run(obj: Object) -> None:
        for hook in obj.get("webhooks") or ():
            default(hook, "failurePolicy", "Fail")
            default(hook, "matchPolicy", "Equivalent")
            default(hook, "namespaceSelector", {})
            default(hook, "objectSelector", {})
            default(hook, "timeoutSeconds", 10)
            for key, value in extra.items():
                default(hook, key, value)
            if (service := hook["clientConfig"].get("service")) is not None:
                default(service, "port", 443)
            for rule in hook.get("rules") or ():
                default(rule, "scope", "*")
    return run


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "v1", "APIService"): _api_service,
    (ADMISSION, "v1", "ValidatingAdmissionPolicy"): _policy,
    (ADMISSION, "v1", "ValidatingAdmissionPolicyBinding"): _policy_binding,
    (ADMISSION, "v1", "ValidatingWebhookConfiguration"): _webhooks({}),
    (ADMISSION, "v1", "MutatingWebhookConfiguration"): _webhooks({"reinvocationPolicy": "Never"})}
