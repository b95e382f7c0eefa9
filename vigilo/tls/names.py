"""Does a certificate speak for a name? RFC 9525 section 6 (which replaced RFC 6125). Pure.

Only the subjectAltName counts, the common name never. A wildcard is the whole left-most label and stands for exactly
one label; it needs two more labels to its right, for `*.com` is nobody's to certify.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from vigilo.events.hostnames import InvalidHostname, is_ip_literal, normalise_hostname


def matches_name(asked: str, *, dns_names: Iterable[str], ip_addresses: Iterable[str]) -> bool:
    """True when one of the certificate's names covers `asked` (a hostname or an IP literal). Raises nothing.

    An IP literal is compared with IP addresses alone, a hostname with DNS names alone (RFC 9525 section 6.5).
    """
    try:
        name = normalise_hostname(asked)
    except InvalidHostname:
        return False
    if is_ip_literal(name):
        return any(_same_address(name, one) for one in ip_addresses)
    return any(_covers(presented, name) for presented in dns_names)


def _same_address(name: str, presented: str) -> bool:
    try:
        return ip_address(presented) == ip_address(name)
    except ValueError:
        return False


def _covers(presented: str, name: str) -> bool:
    wildcard, _, rest = presented.partition(".")
    if wildcard != "*":
        return _same_name(presented, name)
    first, _, others = name.partition(".")
    # A wildcard never stands for part of a label, and an A-label is not ours to take apart.
    return bool(first) and "." in rest and "*" not in rest and _same_name(rest, others)


def _same_name(presented: str, name: str) -> bool:
    # ASCII case folding and no trailing dot: what a certificate carries are A-labels already (RFC 5280 section 7.2).
    return presented.isascii() and presented.lower().removesuffix(".") == name
