"""ServiceAccount: every pod runs as one, and finds its token mounted (plugin/pkg/admission/serviceaccount)."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver.admission.attributes import CREATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object, thaw
from minik8s.store import Key

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
ENFORCE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets"
TOKEN_SECONDS = 3607
"""An hour and seven seconds: by this number the server recognises tokens that it injected itself."""


class ServiceAccount(Plugin):
    name = "ServiceAccount"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({"pods"})

    def mutate(self, a: Attributes, server: Server) -> None:
        if a.operation != CREATE or a.subresource or a.object is None or _is_mirror(a.object):
            return
        spec = a.object["spec"]
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = "default"
        spec["serviceAccount"] = spec["serviceAccountName"]
        account = _account(a, server)
        if _automounts(spec, account):
            _mount_token(spec, server)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = thaw(account["imagePullSecrets"])

    def validate(self, a: Attributes, server: Server) -> None:
        if a.object is None or (a.subresource and a.subresource != "ephemeralcontainers"):
            return
        if _is_mirror(a.object):
            _check_mirror(a)
        elif a.operation == CREATE or a.subresource:
            account = _account(a, server)
            if (account["metadata"].get("annotations") or {}).get(ENFORCE_ANNOTATION) in _TRUE:
                _check_secrets(a, a.object["spec"], account)


_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})


def _is_mirror(pod: Object) -> bool:
    return MIRROR_ANNOTATION in (pod["metadata"].get("annotations") or {})


def _account(a: Attributes, server: Server) -> Object:
    name = (a.object or {})["spec"].get("serviceAccountName") or "default"
    account = server.store.get(Key("serviceaccounts", a.namespace, name))
    if account is None:
        why = f'error looking up service account {a.namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden(a, why)
    return account


def _automounts(spec: Object, account: Object) -> bool:
    for holder in (spec, account):
        if holder.get("automountServiceAccountToken") is not None:
            return bool(holder["automountServiceAccountToken"])
    return True


def _mount_token(spec: Object, server: Server) -> None:
    volumes = spec.get("volumes") or []
    existing = next((v["name"] for v in volumes if str(v.get("name", "")).startswith(VOLUME_PREFIX)), "")
    name, needed = existing, False
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            mounts = container.get("volumeMounts") or []
            if any(mount.get("mountPath") == MOUNT_PATH for mount in mounts):
                continue
            name = name or VOLUME_PREFIX + server.clock.suffix()
            needed = True
            container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
    if needed and not existing:
        spec["volumes"] = [*volumes, token_volume(name)]


def token_volume(name: str) -> Object:
    """The projected volume with token, CA and namespace that containers find at MOUNT_PATH."""
    namespace_item = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[dict[str, Any]] = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace_item]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def _check_mirror(a: Attributes) -> None:
    spec = (a.object or {})["spec"]
    if spec.get("serviceAccountName"):
        raise forbidden(a, "a mirror pod may not reference service accounts")
    for volume in spec.get("volumes") or ():
        if volume.get("secret"):
            raise forbidden(a, "a mirror pod may not reference secrets")


_CONTAINERS = (
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
)


def _check_secrets(a: Attributes, spec: Object, account: Object) -> None:
    """The account's annotation limits pods to the secrets that the account lists."""
    owner = account["metadata"]["name"]
    tail = f"is not allowed because service account {owner} does not reference that secret"
    mountable = {s.get("name") for s in account.get("secrets") or ()}
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if volume.get("secret") and secret not in mountable:
            raise forbidden(a, f'volume with secret.secretName="{secret}" {tail}')
    for field, what in _CONTAINERS:
        for container in spec.get(field) or ():
            for env in container.get("env") or ():
                reference = (env.get("valueFrom") or {}).get("secretKeyRef")
                if reference and reference.get("name") not in mountable:
                    where = f"{what} {container['name']} with envVar {env['name']}"
                    raise forbidden(a, f'{where} referencing secret.secretName="{reference.get("name")}" {tail}')
    pull = {s.get("name") for s in account.get("imagePullSecrets") or ()}
    for index, reference in enumerate(spec.get("imagePullSecrets") or ()):
        if reference.get("name") not in pull:
            why = f"because service account {owner} does not reference that imagePullSecret"
            raise forbidden(a, f'imagePullSecrets[{index}].name="{reference.get("name")}" is not allowed {why}')
