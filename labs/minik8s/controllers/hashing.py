"""The hash suffix of ReplicaSets and ControllerRevisions (pkg/controller/controller_utils.go ComputeHash).

Upstream hashes a dump of the Go struct, which Python has not; we hash the template's canonical JSON. The
*shape* is the same: FNV-1a, 32 bits, printed in decimal, each byte mapped to a letter that makes no words.
"""

from __future__ import annotations

import json
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def fnv1a_32(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def safe_encode(text: str) -> str:
    """`rand.SafeEncodeString` of k8s.io/apimachinery: every byte becomes a letter of ALPHABET."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in text.encode())


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def compute_hash(value: Any, collision_count: int | None = None) -> str:
    """Hash of a pod template (or of any JSON value); a collision count gives another name to the same template."""
    data = canonical(value)
    if collision_count is not None:
        data += collision_count.to_bytes(8, "little")
    return safe_encode(str(fnv1a_32(data)))
