"""Rows of RBAC, admission, certificates, leases, flow control and the remaining small kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minik8s.apiserver.tables.core import name_and_age
from minik8s.apiserver.tables.format import NONE, UNSET, age, condition, human_duration
from minik8s.objects import Object


def role_binding(obj: Object, now: float) -> list[Any]:
    role = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or ()
    accounts = [f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount"]
    return [
        obj["metadata"]["name"],
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age(obj, now),
        ", ".join(s["name"] for s in subjects if s["kind"] == "User"),
        ", ".join(s["name"] for s in subjects if s["kind"] == "Group"),
        ", ".join(accounts),
    ]


def certificate_signing_request(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    return [
        obj["metadata"]["name"],
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human_duration(seconds),
        _signing_state(obj.get("status") or {}),
    ]


def _signing_state(status: Mapping[str, Any]) -> str:
    types = {entry.get("type") for entry in status.get("conditions") or ()}
    text = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    return text + (",Failed" if "Failed" in types else "") + (",Issued" if status.get("certificate") else "")


def lease(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity") or "", age(obj, now)]


def runtime_class(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("handler", ""), age(obj, now)]


def webhooks(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("webhooks") or ()), age(obj, now)]


def admission_policy(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    kind = spec.get("paramKind")
    rules = spec.get("validations") or spec.get("mutations") or ()
    param = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [obj["metadata"]["name"], len(rules), param, age(obj, now)]


def admission_policy_binding(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    reference = spec.get("paramRef") or {}
    param = UNSET
    if reference.get("name"):
        space = reference.get("namespace")
        param = f"{space}/{reference['name']}" if space else reference["name"]
    return [obj["metadata"]["name"], spec.get("policyName", ""), param, age(obj, now)]


def flow_schema(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    method, dangling = spec.get("distinguisherMethod"), condition(obj, "Dangling")
    return [
        obj["metadata"]["name"],
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        spec.get("matchingPrecedence", 0),
        method.get("type", "") if method else NONE,
        age(obj, now),
        dangling.get("status", "") if dangling else "?",
    ]


def priority_level(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    limits = spec.get("limited") or {}
    queuing = (limits.get("limitResponse") or {}).get("queuing") or {}
    return [
        obj["metadata"]["name"],
        spec.get("type", ""),
        limits.get("nominalConcurrencyShares", NONE),
        *(queuing.get(name, NONE) for name in ("queues", "handSize", "queueLengthLimit")),
        age(obj, now),
    ]


def api_service(obj: Object, now: float) -> list[Any]:
    service = (obj.get("spec") or {}).get("service")
    available = condition(obj, "Available")
    text = "Unknown" if available is None else available.get("status", "Unknown")
    if available is not None and text != "True" and available.get("reason"):
        text = f"{text} ({available['reason']})"
    where = f"{service['namespace']}/{service['name']}" if service else "Local"
    return [obj["metadata"]["name"], where, text, age(obj, now)]


_ADMISSION = "admissionregistration.k8s.io"

ROWS: dict[str, Callable[[Object, float], list[Any]]] = {
    "rolebindings.rbac.authorization.k8s.io": role_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": role_binding,
    "certificatesigningrequests.certificates.k8s.io": certificate_signing_request,
    "leases.coordination.k8s.io": lease,
    "runtimeclasses.node.k8s.io": runtime_class,
    f"mutatingwebhookconfigurations.{_ADMISSION}": webhooks,
    f"validatingwebhookconfigurations.{_ADMISSION}": webhooks,
    f"validatingadmissionpolicies.{_ADMISSION}": admission_policy,
    f"mutatingadmissionpolicies.{_ADMISSION}": admission_policy,
    f"validatingadmissionpolicybindings.{_ADMISSION}": admission_policy_binding,
    f"mutatingadmissionpolicybindings.{_ADMISSION}": admission_policy_binding,
    "flowschemas.flowcontrol.apiserver.k8s.io": flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": priority_level,
    "apiservices.apiregistration.k8s.io": api_service,
    "deviceclasses.resource.k8s.io": name_and_age,
    "resourceclaimtemplates.resource.k8s.io": name_and_age,
}
