"""The egress policy: where Vigilo may connect to, checked at connect on the very address that is connected to.

Resolve once, check, connect to that address: a name is never resolved again between check and connect.
Always denied: what `vigilo.tls.addresses` denies, and Vigilo's own listeners.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from vigilo.tls.addresses import Address, Denied, Network, Public, classify, parse_address, unwrapped

_LISTENER = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>\d{1,5})")
_GRANT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>\d{1,5}|\*)")


class EgressDenied(Exception):
    """The policy forbids this connection. `reason` is safe to show."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that one of our own processes listens on, at every address of `network`."""

    network: Network
    port: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Connections to `network` are allowed on `port`, or on every port when it is None."""

    network: Network
    port: int | None


@dataclass(frozen=True, slots=True)
class ScanEgress:
    """Where scans of one pool may go: the public Internet, and private networks of the allow-list."""

    pool_allow_cidrs: tuple[Network, ...] = ()
    own_listeners: frozenset[Listener] = frozenset()

    def check(self, address: str | Address, port: int) -> None:
        """Raises EgressDenied unless a scan may connect there."""
        place = _checked(address, port, self.own_listeners)
        if not place.public and not place.within(self.pool_allow_cidrs):
            raise EgressDenied(f"{place.address} is a private address that this pool may not scan (VIGILO_POOL_ALLOW)")


@dataclass(frozen=True, slots=True)
class DeliveryEgress:
    """Where deliveries (webhook, Slack, PagerDuty, SMTP) may go: encrypted to the public Internet, else by grant."""

    allow: tuple[Grant, ...] = ()
    own_listeners: frozenset[Listener] = frozenset()

    def check(self, address: str | Address, port: int, *, encrypted: bool = True) -> None:
        """Raises EgressDenied unless a delivery may connect there; `encrypted` = https, or SMTP with TLS."""
        place = _checked(address, port, self.own_listeners)
        if place.public and encrypted:
            return
        if not place.within(grant.network for grant in self.allow if grant.port in (None, port)):
            what = "without encryption" if place.public else "a private address"
            raise EgressDenied(f"{place.address} port {port}: {what}, only by grant (VIGILO_DELIVERY_ALLOW)")


@dataclass(frozen=True, slots=True)
class _Checked:
    address: Address
    inner: tuple[Address, ...]
    public: bool

    def within(self, networks: Iterable[Network]) -> bool:
        allowed = tuple(networks)
        return all(any(_holds(network, one) for network in allowed) for one in self.inner)


def _checked(address: str | Address, port: int, own: frozenset[Listener]) -> _Checked:
    try:
        parsed = parse_address(address) if isinstance(address, str) else address
    except ValueError as error:
        raise EgressDenied(f"not an address: {address!r}") from error
    place = classify(parsed)
    if isinstance(place, Denied):
        raise EgressDenied(f"{parsed} is denied: {place.reason}")
    inner = unwrapped(parsed)
    if any(listener.port == port and _holds(listener.network, one) for listener in own for one in inner):
        raise EgressDenied(f"{parsed} port {port} is one of Vigilo's own listeners")
    return _Checked(parsed, inner, isinstance(place, Public))


def _holds(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """`10.0.0.0/8`, `fd00::/8`, single addresses. Raises ValueError naming the wrong one."""
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            raise ValueError(f"not a CIDR: {text!r} ({error})") from error
    return tuple(networks)


def parse_grants(texts: Iterable[str]) -> tuple[Grant, ...]:
    """`10.0.0.0/8:443`, `[fd00::/8]:443`, port `*` for every port. Raises ValueError naming the wrong one."""
    grants = []
    for text in texts:
        match = _GRANT.fullmatch(text)
        if match is None:
            raise ValueError(f"not CIDR:port: {text!r}")
        (network,) = parse_networks((match["six"] or match["four"],))
        grants.append(Grant(network, None if match["port"] == "*" else _port(match["port"], text)))
    return tuple(grants)


def parse_listeners(texts: Iterable[str]) -> frozenset[Listener]:
    """`127.0.0.1:8080`, `[::1]:8080`; unspecified addresses become every address of this machine.

    `localhost` means both loopback addresses. Raises ValueError naming the wrong one.
    """
    listeners: set[Listener] = set()
    for text in texts:
        match = _LISTENER.fullmatch(text)
        if match is None:
            raise ValueError(f"not address:port: {text!r}")
        port = _port(match["port"], text)
        listeners.update(Listener(network, port) for network in _listening_at(match["six"] or match["four"]))
    return frozenset(listeners)


def _port(digits: str, text: str) -> int:
    if not 1 <= int(digits) <= 65535:
        raise ValueError(f"no such port: {text!r}")
    return int(digits)


def _listening_at(host: str) -> Iterable[Network]:
    if host == "localhost":
        return (ip_network("127.0.0.1"), ip_network("::1"))
    address = parse_address(host)
    return _every_local_address() if address.is_unspecified else (ip_network(address),)


def _every_local_address() -> Iterable[Network]:
    import psutil  # costly, and needed only where something listens on every address

    # No interface lists 127.0.0.2, and yet it reaches whatever listens on 0.0.0.0.
    yield ip_network("127.0.0.0/8")
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            try:
                yield ip_network(parse_address(one.address))
            except ValueError:  # a hardware address
                continue
