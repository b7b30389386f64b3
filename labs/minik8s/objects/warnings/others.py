"""Warnings about nodes, storage, quotas, secrets, accounts. Source: ``pkg/registry/*/*/strategy.go``, ``pkg/api``."""

from __future__ import annotations

import base64
import binascii
import re

from minik8s.objects import quantity
from minik8s.objects.frozen import Object
from minik8s.objects.warnings import pods
from minik8s.objects.warnings.addresses import of_cidr

_VOLUME_ANNOTATIONS = {
    "volume.beta.kubernetes.io/storage-class": 'deprecated since v1.8; use "storageClassName" attribute instead',
    "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
}
_CLAIM_CLASS = "volume.beta.kubernetes.io/storage-class"
_RECYCLE = ("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended"
            " approach is to use dynamic provisioning.")
_SOURCES = {
    "cephfs": ("cephfs", "v1.28", "v1.31"), "photonPersistentDisk": ("photonPersistentDisk", "v1.11", "v1.16"),
    "scaleIO": ("scaleIO", "v1.16", "v1.22"), "storageos": ("storageOS", "v1.22", "v1.25"),
    "glusterfs": ("glusterfs", "v1.25", "v1.26"), "rbd": ("rbd", "v1.28", "v1.31"),
}
_ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_TOKENS = ("spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent"
           " possible logging of tokens in volume attributes")
_BLOCK = re.compile(r"-----BEGIN ([^\n]*?)-----\n(.*?)\n?-----END \1-----", re.DOTALL)


def _annotations(obj: Object) -> Object:
    return obj["metadata"].get("annotations") or {}


def _volume(obj: Object) -> list[str]:
    spec = obj.get("spec") or {}
    notes = [f"metadata.annotations[{k}]: {why}" for k, why in _VOLUME_ANNOTATIONS.items() if k in _annotations(obj)]
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        notes.append(_RECYCLE)
    for i, term in enumerate(((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()):
        notes += pods.selector_term(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{i}]")
    return notes + [f"spec.{shown}: deprecated in {since}, non-functional in {gone}+"
                    for key, (shown, since, gone) in _SOURCES.items() if spec.get(key) is not None]


def _claim(obj: Object) -> list[str]:
    old = _CLAIM_CLASS in _annotations(obj)
    why = f'metadata.annotations[{_CLAIM_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead'
    return [*([why] if old else []), *pods.claim(obj.get("spec") or {}, "spec")]


def _class(obj: Object) -> list[str]:
    return [f"allowedTopologies[{i}].matchLabelExpressions[{j}].key: {pods.NODE_LABELS[wanted['key']]}"
            for i, topology in enumerate(obj.get("allowedTopologies") or ())
            for j, wanted in enumerate(topology.get("matchLabelExpressions") or ())
            if wanted.get("key") in pods.NODE_LABELS]


def _runtime_class(obj: Object) -> list[str]:
    wanted = (obj.get("scheduling") or {}).get("nodeSelector") or ()
    return [f"scheduling.nodeSelector: {pods.NODE_LABELS[key]}" for key in wanted if key in pods.NODE_LABELS]


def _driver(obj: Object, old: Object | None = None) -> list[str]:
    spec, before = obj.get("spec") or {}, ((old or {}).get("spec") or {}).get("tokenRequests") or []
    asked = spec.get("tokenRequests") or []
    return [_TOKENS] if asked and asked != before and spec.get("serviceAccountTokenInSecrets") is None else []


def _quota(obj: Object) -> list[str]:
    hard, notes = (obj.get("spec") or {}).get("hard") or {}, []
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        request, limit = f"requests.{name}", f"limits.{name}"
        if request not in hard and name in ("cpu", "memory"):
            request = name
        if request in hard and limit in hard and quantity.compare(hard[request], hard[limit]) > 0:
            amounts = [quantity.canonical(hard[key]) for key in (request, limit)]
            notes.append(f"ResourceQuota {request} ({amounts[0]}) should be less than {limit} ({amounts[1]})")
    return notes


def _node(obj: Object) -> list[str]:
    spec, notes = obj.get("spec") or {}, []
    if spec.get("configSource") is not None:
        notes.append("spec.configSource: the feature is removed")
    if spec.get("externalID"):
        notes.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for i, cidr in enumerate(spec.get("podCIDRs") or ()):
        notes += of_cidr(cidr, f"spec.podCIDRs[{i}]")
    return notes


def _account(obj: Object, old: Object | None = None) -> list[str]:
    if _ENFORCE not in _annotations(obj) or (old is not None and _ENFORCE in _annotations(old)):
        return []
    why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
    return [f"metadata.annotations[{_ENFORCE}]: {why}"]


def _secret(obj: Object) -> list[str]:
    if obj.get("type") != "kubernetes.io/tls":
        return []
    data = obj.get("data") or {}
    why = _key_pair(_blocks(data.get("tls.crt")), _blocks(data.get("tls.key")))
    return [why] if why else []


def _blocks(text: str | None) -> list[tuple[str, bytes]]:
    """Types and contents of the PEM blocks in a value of a secret."""
    found = []
    for kind, body in _BLOCK.findall(base64.b64decode(text or "").decode("latin-1").replace("\r\n", "\n")):
        try:
            found.append((kind, base64.b64decode("".join(body.split()), validate=True)))
        except binascii.Error:
            continue
    return found


def _key_pair(certificate: list[tuple[str, bytes]], key: list[tuple[str, bytes]]) -> str:
    """Why Go's ``tls.X509KeyPair`` would not take them; whether the key is the certificate's is not looked at."""
    kinds = [kind for kind, _ in certificate]
    if "CERTIFICATE" not in kinds:
        if not kinds:
            return "tls: failed to find any PEM data in certificate input"
        if len(kinds) == 1 and kinds[0].endswith("PRIVATE KEY"):
            return ("tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM"
                    " inputs may have been switched")
        return ('tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the'
                f" following types: [{' '.join(kinds)}]")
    others = [kind for kind, _ in key]
    if not any(kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY") for kind in others):
        if not others:
            return "tls: failed to find any PEM data in key input"
        if others == ["CERTIFICATE"]:
            return "tls: found a certificate rather than a key in the PEM for the private key"
        return ('tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks'
                f" of the following types: [{' '.join(others)}]")
    body = next(body for kind, body in certificate if kind == "CERTIFICATE")
    return "" if _is_sequence(body) else "x509: malformed certificate"


def _is_sequence(der: bytes) -> bool:
    """Whether the bytes begin with a whole ASN.1 sequence."""
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) >= 2 + der[1]
    count = der[1] & 0x7F
    return len(der) >= 2 + count + int.from_bytes(der[2 : 2 + count], "big")


CREATE = {
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "ResourceQuota"): _quota,
    ("", "Node"): _node,
    ("", "ServiceAccount"): _account,
    ("", "Secret"): _secret,
    ("storage.k8s.io", "StorageClass"): _class,
    ("storage.k8s.io", "CSIDriver"): _driver,
    ("node.k8s.io", "RuntimeClass"): _runtime_class,
}
UPDATE = {
    ("", "PersistentVolume"): lambda new, _: _volume(new),
    ("", "PersistentVolumeClaim"): lambda new, _: _claim(new),
    ("", "Node"): lambda new, _: _node(new),
    ("", "ServiceAccount"): _account,
    ("", "Secret"): lambda new, _: _secret(new),
    ("storage.k8s.io", "StorageClass"): lambda new, _: _class(new),
    ("storage.k8s.io", "CSIDriver"): _driver,
    ("node.k8s.io", "RuntimeClass"): lambda new, _: _runtime_class(new),
}
