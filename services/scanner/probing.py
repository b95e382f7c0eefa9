"""From what was seen to the snapshot. Pure: decides which address speaks for the host, and says what was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.scanner.carrying import SPEAK_TLS, posture_fields
from services.scanner.measuring import measured_fields
from services.scanner.sightings import Address, AddressSeen, HandshakeSeen, HostSeen, PostureSeen
from vigilo.events.handshakes import ReadBy
from vigilo.events.hosts import Probing, Protocol
from vigilo.events.scans import AddressResult, Depth, Outcome, ScanRequested, Snapshot

# The further a failed attempt came, the more its outcome tells about the host.
_TELLING = (
    Outcome.OK,
    Outcome.THROTTLED,
    Outcome.STARTTLS_REFUSED,
    Outcome.TLS_ALERT,
    Outcome.TLS_FAILURE,
    Outcome.NOT_TLS,
    Outcome.TLS_TIMEOUT,
    Outcome.RESET,
    Outcome.CLOSED,
    Outcome.REFUSED,
    Outcome.CONNECT_TIMEOUT,
    Outcome.UNREACHABLE,
    Outcome.DENIED,
    Outcome.NOT_PERFORMED,
)
_RANKS: Mapping[Outcome, int] = MappingProxyType({outcome: rank for rank, outcome in enumerate(_TELLING)})

HTTP = (b"h2", b"http/1.1")

_HTTPS_PORTS = frozenset({443, 2053, 2083, 2087, 2096})
_NOTHING_DEEPER = PostureSeen()


@dataclass(frozen=True, slots=True)
class Timing:
    """When a scan began and ended, by the scanner's clock (UTC-aware); `duration_ms` by a steady one."""

    started_at: datetime
    finished_at: datetime
    duration_ms: int


def stable_order(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """The same addresses in the same order at every scan, however DNS rotates them: IPv4 first, then by number."""
    return tuple(sorted(set(addresses), key=lambda address: (address.version, int(address))))


def in_turn(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """IPv4 and IPv6 by turns, so that a family without a route never holds up the other (RFC 8305 section 4)."""
    four = [address for address in addresses if address.version == 4]
    six = [address for address in addresses if address.version == 6]
    mixed = [address for pair in zip(four, six, strict=False) for address in pair]
    shared = min(len(four), len(six))
    return (*mixed, *four[shared:], *six[shared:])


def speaker(seen: Sequence[AddressSeen]) -> AddressSeen:
    """The address whose answer is the host's: the most telling outcome, the first in order. Not for empty sequences."""
    return min(seen, key=lambda one: _RANKS.get(one.outcome, len(_TELLING)))


def offers_alpn(port: int) -> bool:
    """True for ports where HTTP over TLS is usual: 443 and its many likenesses (8443, 9443, 10443 ...)."""
    return port % 1000 == 443 or port in _HTTPS_PORTS


def speaks_http(handshake: HandshakeSeen, port: int) -> bool:
    """True where a GET is no surprise: HTTP was agreed on, or the port is one of HTTPS and TLS came first.

    Not with a server that demands a certificate of us: it would answer with an alert.
    """
    if handshake.protocol is not Protocol.TLS or handshake.client_certificate_demanded:
        return False
    if handshake.read_by is ReadBy.OWN:  # no TLS library of ours can ask it anything
        return False
    return offers_alpn(port) or handshake.alpn in {"h2", "http/1.1"}


def needs_second_ask(seen: AddressSeen, *, has_ocsp_url: bool) -> bool:
    """A server that staples may just have started: a missing staple counts only when it is missing twice."""
    handshake = seen.handshake
    if handshake is None or handshake.staple is not None or handshake.read_by is ReadBy.OWN:
        return False
    return has_ocsp_url and not seen.asked_again


def enumerates(request: ScanRequested, seen: AddressSeen) -> bool:
    """True when the posture was asked for, its owner allows it, and the address speaks some TLS, if not ours."""
    wanted = request.depth is not Depth.LIGHT and request.target.probing is Probing.FULL
    return wanted and seen.outcome in SPEAK_TLS


def describe(
    request: ScanRequested, seen: HostSeen, timing: Timing, *, scanner: str, deeper: PostureSeen = _NOTHING_DEEPER
) -> Snapshot:
    """The snapshot of one scan. Raises nothing for anything a peer can send."""
    if seen.failure is not None or not seen.addresses:
        outcome = Outcome.NOT_PERFORMED if seen.failure is None else seen.failure.outcome
        detail = "no address to scan" if seen.failure is None else seen.failure.detail
        return _snapshot(request, timing, scanner, outcome=outcome, detail=detail)
    first = speaker(seen.addresses)
    return _snapshot(
        request,
        timing,
        scanner,
        outcome=first.outcome,
        detail=first.detail,
        address=str(first.address),
        addresses=tuple(_result(one) for one in seen.addresses),
        **posture_fields(request, first.outcome, deeper),
        transcript=deeper.transcript,
        protocol=first.protocol,
        hsts=first.hsts,
        **measured_fields(first, request),
    )


def _snapshot(request: ScanRequested, timing: Timing, scanner: str, **seen: Any) -> Snapshot:
    seen.setdefault("depth", Depth.LIGHT)
    return Snapshot(
        scan_id=request.scan_id,
        target=request.target,
        requested_at=request.requested_at,
        reason=request.reason,
        started_at=timing.started_at,
        finished_at=timing.finished_at,
        duration_ms=timing.duration_ms,
        scanner=scanner,
        **seen,
    )


def _result(seen: AddressSeen) -> AddressResult:
    chain = seen.handshake.chain if seen.handshake is not None else ()
    return AddressResult(
        address=str(seen.address),
        outcome=seen.outcome,
        detail=seen.detail,
        connect_ms=seen.connect_ms,
        handshake_ms=seen.handshake_ms,
        leaf_sha256=hashlib.sha256(chain[0]).hexdigest() if chain else None,
        hello_sha256=seen.handshake.hello_sha256 if seen.handshake is not None else None,
    )
