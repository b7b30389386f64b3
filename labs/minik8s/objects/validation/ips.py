"""IP addresses and networks. Source: apimachinery ``pkg/util/validation/ip.go``."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from minik8s.objects.validation.field import Errors, invalid, quote

_IP_MESSAGE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_CIDR_MESSAGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """As ``ParseIPSloppy``: leading zeros are forgiven in IPv4."""
    if "%" in text:
        return None
    if re.fullmatch(r"\d+(\.\d+){3}", text, re.ASCII):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        return ip_address(text)
    except ValueError:
        return None


def valid_ip(errors: Errors, text: str, path: str, *, legacy: bool = False) -> bool:
    """An address in canonical form; ``legacy`` fields forgive what older servers let in."""
    ip = parse_ip(text)
    if ip is None:
        errors.append(invalid(path, text, _IP_MESSAGE))
        return False
    count = len(errors)
    if not legacy:
        if isinstance(ip, IPv4Address) and str(ip) != text:
            errors.append(invalid(path, text, "must not have leading 0s"))
        elif isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            errors.append(invalid(path, text, "must not be an IPv4-mapped IPv6 address"))
        elif str(ip) != text:
            errors.append(invalid(path, text, f"must be in canonical form ({quote(str(ip))})"))
    return len(errors) == count


def valid_cidr(errors: Errors, text: str, path: str, *, legacy: bool = False) -> bool:
    host, slash, bits = text.partition("/")
    ip = parse_ip(host)
    if ip is None or not slash or not bits.isdigit() or not bits.isascii() or int(bits) > ip.max_prefixlen:
        errors.append(invalid(path, text, _CIDR_MESSAGE))
        return False
    if legacy:
        return True
    network = ip_network(f"{ip}/{int(bits)}", strict=False)
    count = len(errors)
    if (host != str(ip) and isinstance(ip, IPv4Address)) or bits != str(int(bits)):
        errors.append(invalid(path, text, "must not have leading 0s in IP or prefix length"))
    elif isinstance(network, IPv6Network) and ip.version == 6 and IPv6Address(str(ip)).ipv4_mapped is not None:
        errors.append(invalid(path, text, "must not have an IPv4-mapped IPv6 address"))
    elif network.network_address != ip:
        errors.append(invalid(path, text, "must not have bits set beyond the prefix length"))
    elif str(network) != text:
        errors.append(invalid(path, text, f"must be in canonical form ({quote(str(network))})"))
    return len(errors) == count


def non_special_ip(errors: Errors, text: str, path: str) -> None:
    """Addresses that make no sense behind a service: unspecified, loopback, link-local."""
    ip = parse_ip(text)
    if ip is None:
        errors.append(invalid(path, text, "must be a valid IP address"))
        return
    if ip.is_unspecified:
        errors.append(invalid(path, text, f"may not be unspecified ({text})"))
    if ip.is_loopback:
        errors.append(invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
    if ip.is_link_local:
        errors.append(invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    if (ip.version == 4 and text.startswith("224.0.0.")) or (ip.version == 6 and text.lower().startswith("ff02:")):
        errors.append(invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
