"""What kind of place an IP address is. Pure; the egress policies (vigilo.adapters.egress) decide with it.

Sources: IANA IPv4 and IPv6 special-purpose registries (RFC 6890 and updates), RFC 6052 (NAT64), RFC 3056 (6to4),
RFC 4380 (Teredo). `ipaddress.is_global` is not used: it says True for 168.63.129.16, 192.0.0.192's neighbours and
addresses wrapped in NAT64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing of ours ever connects there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Private:
    """Loopback or a private network: only by an allow-list."""


@dataclass(frozen=True, slots=True)
class Public:
    """An address of the public Internet."""


Place = Denied | Private | Public

_METADATA = "a cloud's metadata service"
_MULTICAST = "multicast"
_LINK_LOCAL = "link-local"
_RESERVED = "reserved"
_DOCUMENTATION = "reserved for documentation"
_UNSPECIFIED = "unspecified"

# Order matters: the first network that holds the address decides.
_TABLE: tuple[tuple[Network, Place], ...] = tuple(
    (ip_network(network), place)
    for network, place in (
        ("169.254.169.254/32", Denied(_METADATA)),  # AWS, Azure, GCP and others
        ("168.63.129.16/32", Denied(_METADATA)),  # Azure's host agent, inside public space
        ("100.100.100.200/32", Denied(_METADATA)),  # Alibaba Cloud, inside shared space
        ("192.0.0.192/32", Denied(_METADATA)),  # Oracle Cloud
        ("fd00:ec2::254/128", Denied(_METADATA)),  # AWS
        ("fd20:ce::254/128", Denied(_METADATA)),  # GCP
        ("0.0.0.0/8", Denied(_UNSPECIFIED)),  # Linux connects 0.0.0.0 to itself
        ("10.0.0.0/8", Private()),
        ("100.64.0.0/10", Private()),  # carriers' NAT and overlay networks (RFC 6598)
        ("127.0.0.0/8", Private()),
        ("169.254.0.0/16", Denied(_LINK_LOCAL)),
        ("172.16.0.0/12", Private()),
        ("192.0.0.0/24", Denied(_RESERVED)),
        ("192.0.2.0/24", Denied(_DOCUMENTATION)),
        ("192.88.99.0/24", Denied(_RESERVED)),  # the former 6to4 relay (RFC 7526)
        ("192.168.0.0/16", Private()),
        ("198.18.0.0/15", Private()),  # test labs (RFC 2544)
        ("198.51.100.0/24", Denied(_DOCUMENTATION)),
        ("203.0.113.0/24", Denied(_DOCUMENTATION)),
        ("224.0.0.0/4", Denied(_MULTICAST)),
        ("240.0.0.0/4", Denied(_RESERVED)),
        ("0.0.0.0/0", Public()),
        ("::/128", Denied(_UNSPECIFIED)),
        ("::1/128", Private()),
        ("fc00::/7", Private()),
        ("fe80::/10", Denied(_LINK_LOCAL)),
        ("ff00::/8", Denied(_MULTICAST)),
        ("2001:db8::/32", Denied(_DOCUMENTATION)),
        ("3fff::/20", Denied(_DOCUMENTATION)),
        ("2001::/23", Denied(_RESERVED)),  # protocol assignments; Teredo was unwrapped before
        ("2000::/3", Public()),
        ("::/0", Denied(_RESERVED)),  # site-local, discard, segment routing, local NAT64, all unassigned space
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_COMPATIBLE = IPv6Network("::/96")


def parse_address(text: str) -> Address:
    """The address, without a zone. Raises ValueError."""
    return ip_address(text.partition("%")[0])


def unwrapped(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that packets to `address` end at, or the address itself when it wraps none."""
    if isinstance(address, IPv4Address):
        return (address,)
    return tuple(_inner(address)) or (address,)


def _inner(address: IPv6Address) -> Iterator[IPv4Address]:
    bits = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or (address in _COMPATIBLE and bits > 1):
        yield IPv4Address(bits & 0xFFFFFFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO:
        yield IPv4Address(bits >> 64 & 0xFFFFFFFF)  # the Teredo server
        yield IPv4Address(bits & 0xFFFFFFFF ^ 0xFFFFFFFF)  # the client, written inverted


def classify(address: Address) -> Place:
    """The kind of place, judged on the unwrapped address: Denied before Private before Public."""
    places = [_look_up(inner) for inner in unwrapped(address)]
    for kind in (Denied, Private):
        for place in places:
            if isinstance(place, kind):
                return place
    return Public()


def _look_up(address: Address) -> Place:
    return next(place for network, place in _TABLE if address.version == network.version and address in network)
