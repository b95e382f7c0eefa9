"""Where a request came from, as far as that can be believed. Pure.

`X-Forwarded-For` is anybody's word: read from the right, each entry is believed only if the one who added it is a proxy
of ours. Source: RFC 7239 section 8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from vigilo.tls.addresses import Network


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's. `forwarded_for` are the header's lines, first to last."""
    address = peer
    said = [entry.strip() for line in forwarded_for for entry in line.split(",")]
    while said and _is_trusted(address, trusted):
        before = said.pop()
        if not _is_address(before):
            break
        address = before
    return address


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(network.version == parsed.version and parsed in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
