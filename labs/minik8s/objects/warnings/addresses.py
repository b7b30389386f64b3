"""Warnings about addresses in odd forms. Source: apimachinery ``pkg/util/validation/ip.go``."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from minik8s.objects.validation.field import quote
from minik8s.objects.validation.ips import parse_ip


def _mapped(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    return ip.ipv4_mapped if isinstance(ip, IPv6Address) else None


def of_ip(text: str, path: str) -> list[str]:
    ip = parse_ip(text)
    if ip is None or str(ip) == text:
        return []
    if isinstance(ip, IPv4Address) or _mapped(ip):
        shown = quote(str(_mapped(ip) or ip))
        return [f"{path}: non-standard IP address {quote(text)} is invalid: use {shown}"]
    why = f"should be in RFC 5952 canonical format ({quote(str(ip))})"
    return [f"{path}: IPv6 address {quote(text)} {why}"]


def of_cidr(text: str, path: str) -> list[str]:
    host, _, bits = text.partition("/")
    ip = parse_ip(host)
    if ip is None or not bits.isdigit() or int(bits) > ip.max_prefixlen:
        return []
    network = ip_network(f"{ip}/{int(bits)}", strict=False)
    notes = []
    if network.network_address != ip:
        single = quote(f"{ip}/{ip.max_prefixlen}")
        why = f"is ambiguous in this context (should be {quote(str(network))} or {single}?)"
        notes.append(f"{path}: CIDR value {quote(text)} {why}")
    if bits != str(int(bits)) or (host != str(ip) and isinstance(ip, IPv4Address)) or _mapped(ip):
        notes.append(f"{path}: non-standard CIDR value {quote(text)} is invalid: use {quote(str(network))}")
    if not notes and str(network) != text:
        why = f"should be in RFC 5952 canonical format ({quote(str(network))})"
        notes.append(f"{path}: IPv6 CIDR value {quote(text)} {why}")
    return notes
