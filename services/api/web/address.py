"""Where a request came from, as far as that can be believed.

`X-Forwarded-For` is anybody's word: read from the right, each entry is believed only if the one who added it is a proxy
of ours. Source: RFC 7239 section 8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from fastapi import Request

from services.api.resources import resources
from vigilo.adapters.egress import parse_networks
from vigilo.tls.addresses import Network


def client_of(request: Request) -> str | None:
    """The client's address, by the proxies of the settings; None where the connection has none."""
    if request.client is None:
        return None
    trusted = parse_networks(resources(request).settings.trusted_proxies)
    return client_address(request.client.host, request.headers.getlist("x-forwarded-for"), trusted)


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's. `forwarded_for`: the header's lines, in order. Pure."""
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
