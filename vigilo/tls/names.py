"""Does a certificate's subjectAltName cover the name that was asked for? (RFC 9525 section 6)"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address


def matches_name(asked: str, *, dns_names: Iterable[str], ip_addresses: Iterable[str]) -> bool:
    """True when a name of the certificate covers `asked`, a hostname (A-labels) or an IP address literal.

    A wildcard counts only as the whole left-most label and stands for exactly one label (RFC 9525 section 6.3); an
    address is compared with IP addresses alone, as a number (section 6.5). The common name never counts.
    """
    address = _as_address(asked)
    if address is not None:
        return any(_as_address(candidate) == address for candidate in ip_addresses)
    wanted = _labels(asked)
    return any(_covers(_labels(pattern), wanted) for pattern in dns_names)


def _covers(pattern: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if pattern == wanted:
        return True
    # "*.example" alone would cover a whole top-level domain: at least two labels must follow.
    return len(pattern) > 2 and pattern[0] == "*" and len(pattern) == len(wanted) and pattern[1:] == wanted[1:]


def _labels(name: str) -> tuple[str, ...]:
    return tuple(name.lower().removesuffix(".").split("."))


def _as_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None
