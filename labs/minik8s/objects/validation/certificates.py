"""certificates.k8s.io. Source: ``pkg/apis/certificates/validation/validation.go``, ``ValidateSignerName`` of core."""

from __future__ import annotations

import base64

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import (
    Errors,
    duplicate,
    invalid,
    not_supported,
    quote,
    required,
    too_long,
)
from minik8s.objects.validation.rules import Rules

_USAGES = tuple(sorted((
    "signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
    "cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing",
    "email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
    "microsoft sgc", "netscape sgc")))


def signing_request(errors: Errors, obj: Object) -> None:
    """What is inside the request, beyond its being a PEM block of the right type, is not looked at."""
    meta.object_meta(errors, obj["metadata"], False, lambda name, prefix: [])
    spec = obj.get("spec") or {}
    request, usages = spec.get("request") or "", spec.get("usages") or ()
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in base64.b64decode(request):
        errors.append(invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST"))
    if not usages:
        errors.append(required("spec.usages"))
    errors.extend(not_supported(f"spec.usages[{i}]", usage, _USAGES)
                  for i, usage in enumerate(usages) if usage not in _USAGES)
    errors.extend(duplicate(f"spec.usages[{i}]", usage) for i, usage in enumerate(usages) if usage in usages[:i])
    signer = spec.get("signerName") or ""
    if signer == "kubernetes.io/legacy-unknown":
        why = "the legacy signerName is not allowed via this API version"
        errors.append(invalid("spec.signerName", signer, why))
    else:
        signer_name(errors, signer, "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(invalid("spec.expirationSeconds", seconds, why))


def signer_name(errors: Errors, name: str, path: str) -> None:
    if not name:
        errors.append(required(path))
        return
    domain, slash, rest = name.partition("/")
    if not slash or "/" in rest:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        errors.append(invalid(path, name, why))
        return
    if len(domain) > 253:
        errors.append(too_long(path, 253))
    _labels(errors, domain, path, subdomain=False)
    if "." not in domain:
        errors.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    _labels(errors, rest, path, subdomain=True)
    if len(name) > 571:
        errors.append(too_long(path, 571))


def _labels(errors: Errors, text: str, path: str, *, subdomain: bool) -> None:
    """The first label that is none."""
    check = names.dns1123_subdomain if subdomain else names.dns1123_label
    for label in text.split("."):
        if faults := check(label):
            errors.extend(invalid(path, text, f"validating label {quote(label)}: {fault}") for fault in faults)
            return


RULES: dict[tuple[str, str], Rules] = {("certificates.k8s.io", "CertificateSigningRequest"): Rules(signing_request)}
