"""Defaults of pods and pod templates. Source: ``pkg/apis/core/v1/defaults.go``."""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import DECIMAL_SI, Quantity, from_milli, parse_quantity

POD_LEVEL_RESOURCES = ("cpu", "memory")


def default(obj: Object, key: str, value: Any) -> None:
    """Set a field that is absent; never writes otherwise, so that frozen parts pass."""
    if key not in obj:
        obj[key] = value


def image_tag(image: str) -> str:
    """The tag of an image reference; ``latest`` when it has neither tag nor digest, "" when only a digest."""
    name, _, digest = image.partition("@")
    last = name.rpartition("/")[2]
    tag = last.partition(":")[2]
    return tag or ("" if digest else "latest")


def _pull_policy(image: str) -> str:
    return "Always" if image_tag(image) == "latest" else "IfNotPresent"


def resource_list(resources: dict[str, Any] | None) -> None:
    """Amounts finer than a thousandth are rounded up."""
    for key, text in (resources or {}).items():
        if text[-1] in "nu" or "." in text or "e" in text:
            quantity = parse_quantity(text)
            if quantity.nanos % 10**6 and resources is not None:
                resources[key] = str(from_milli(quantity.milli(), DECIMAL_SI))


def resource_requirements(resources: Object | None) -> None:
    if resources:
        resource_list(resources.get("limits"))
        resource_list(resources.get("requests"))


def _handler(handler: Object) -> None:
    if (http := handler.get("httpGet")) is not None:
        default(http, "path", "/")
        default(http, "scheme", "HTTP")
    if (grpc := handler.get("grpc")) is not None and grpc.get("service") is None:
        grpc["service"] = ""


def _probe(probe: Object) -> None:
    _handler(probe)
    default(probe, "timeoutSeconds", 1)
    default(probe, "periodSeconds", 10)
    default(probe, "successThreshold", 1)
    default(probe, "failureThreshold", 3)


def container(c: Object) -> None:
    for port in c.get("ports") or ():
        default(port, "protocol", "TCP")
    for env in c.get("env") or ():
        source = env.get("valueFrom")
        if source:
            if (ref := source.get("fieldRef")) is not None:
                default(ref, "apiVersion", "v1")
            if (file := source.get("fileKeyRef")) is not None:
                default(file, "optional", False)
    if c.get("resources"):
        resource_requirements(c["resources"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := c.get(name)) is not None:
            _probe(probe)
    for handler in (c.get("lifecycle") or {}).values():
        if isinstance(handler, dict):
            _handler(handler)
    default(c, "imagePullPolicy", _pull_policy(c.get("image", "")) if "imagePullPolicy" not in c else "")
    default(c, "terminationMessagePath", "/dev/termination-log")
    default(c, "terminationMessagePolicy", "File")


_MODES = ("secret", "configMap", "downwardAPI", "projected")
_VOLUME_DEFAULTS: dict[str, dict[str, Any]] = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def volume_source(source: Object) -> None:
    """What pod volumes and persistent volumes share."""
    for name, values in _VOLUME_DEFAULTS.items():
        if (inner := source.get(name)) is not None:
            for key, value in values.items():
                default(inner, key, value)


def _field_refs(items: Any) -> None:
    for item in items or ():
        if (ref := item.get("fieldRef")) is not None:
            default(ref, "apiVersion", "v1")


def _volume(volume: Object) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
        return
    volume_source(volume)
    for name in _MODES:
        if (inner := volume.get(name)) is not None:
            default(inner, "defaultMode", 420)
    _field_refs((volume.get("downwardAPI") or {}).get("items"))
    for source in (volume.get("projected") or {}).get("sources") or ():
        _field_refs((source.get("downwardAPI") or {}).get("items"))
        if (token := source.get("serviceAccountToken")) is not None:
            default(token, "expirationSeconds", 3600)
    if (image := volume.get("image")) is not None and "pullPolicy" not in image:
        image["pullPolicy"] = _pull_policy(image.get("reference", ""))
    if (ephemeral := volume.get("ephemeral")) is not None:
        template = ephemeral.get("volumeClaimTemplate")
        if template:
            default(template["spec"], "volumeMode", "Filesystem")


def pod_spec(spec: Object) -> None:
    """Defaults of a pod's spec wherever it stands (pods and templates)."""
    default(spec, "dnsPolicy", "ClusterFirst")
    default(spec, "restartPolicy", "Always")
    default(spec, "securityContext", {})
    default(spec, "terminationGracePeriodSeconds", 30)
    default(spec, "schedulerName", "default-scheduler")
    for volume in spec.get("volumes") or ():
        _volume(volume)
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for c in spec.get(name) or ():
            container(c)
    resource_list(spec.get("overhead"))
    resource_requirements(spec.get("resources"))


def pod_template(template: Object | None) -> None:
    if template is not None:
        pod_spec(template["spec"])
        if template["spec"].get("hostNetwork"):
            _host_ports(template["spec"])


def _host_ports(spec: Object) -> None:
    for name in ("containers", "initContainers"):
        for c in spec.get(name) or ():
            for port in c.get("ports") or ():
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]


def pod(obj: Object) -> None:
    spec = obj["spec"]
    pod_spec(spec)
    for name in ("containers", "initContainers"):
        for c in spec.get(name) or ():
            limits = c["resources"].get("limits")
            if limits:
                requests = c["resources"].get("requests") or {}
                missing = {k: v for k, v in limits.items() if k not in requests}
                if missing:
                    c["resources"]["requests"] = {**requests, **missing}
    if spec.get("resources"):
        _pod_level(spec)
    default(spec, "enableServiceLinks", True)
    if spec.get("hostNetwork"):
        _host_ports(spec)
    for status in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for entry in obj["status"].get(status) or ():
            resource_list(entry.get("allocatedResources"))
            resource_requirements(entry.get("resources"))


def _pod_level(spec: Object) -> None:
    """KEP-2837: pod-level requests follow the containers' requests, then the pod-level limits."""
    resources = spec["resources"]
    limits = resources.get("limits")
    if not limits:
        return
    requests = dict(resources.get("requests") or {})
    for key, amount in aggregate_requests(spec).items():
        if key in POD_LEVEL_RESOURCES and key not in requests:
            requests[key] = str(amount)
    for key, text in limits.items():
        if (key in POD_LEVEL_RESOURCES or key.startswith("hugepages-")) and key not in requests:
            requests[key] = text
    if requests and requests != resources.get("requests"):
        resources["requests"] = requests


def aggregate_requests(spec: Object) -> dict[str, Quantity]:
    """What the containers of a pod ask for together (sidecars counted, init containers at their peak)."""
    total: dict[str, Quantity] = {}
    for c in spec.get("containers") or ():
        _add(total, c["resources"].get("requests"))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for c in spec.get("initContainers") or ():
        own: dict[str, Quantity] = {}
        _add(own, c["resources"].get("requests"))
        if c.get("restartPolicy") == "Always":
            for key, amount in own.items():
                total[key] = total[key] + amount if key in total else amount
                sidecars[key] = sidecars[key] + amount if key in sidecars else amount
            own = dict(sidecars)
        else:
            for key, amount in sidecars.items():
                own[key] = own[key] + amount if key in own else amount
        for key, amount in own.items():
            peak[key] = max(peak.get(key, amount), amount)
    for key, amount in peak.items():
        total[key] = max(total.get(key, amount), amount)
    return total


def _add(total: dict[str, Quantity], requests: dict[str, str] | None) -> None:
    for key, text in (requests or {}).items():
        amount = parse_quantity(text)
        total[key] = total[key] + amount if key in total else amount
