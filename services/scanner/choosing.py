"""Which of a host's addresses are enumerated: one, another one each day, and those that answer otherwise. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from services.scanner import probing
from services.scanner.sightings import AddressSeen, HostSeen
from vigilo.events.posture import Posture
from vigilo.events.scans import POSTURES_MAX, Baseline, Depth, Outcome, ScanReason, ScanRequested

Fingerprint = tuple[str | None, str | None]


def to_enumerate(request: ScanRequested, seen: HostSeen) -> tuple[AddressSeen, ...]:
    """The addresses whose posture is to be asked for, at most POSTURES_MAX; empty = none.

    A slot's full scan begins with the address whose turn it is: every address has its day (UTC, of the request). All
    others ask those again whose posture is known, for it is in doubt. Then one of each other leaf and ServerHello.
    """
    able = [one for one in seen.addresses if probing.enumerates(request, one)]
    if not able:
        return ()
    in_turn = request.depth is Depth.FULL and request.reason is ScanReason.SLOT
    known = _known(request.baseline, only_differing=in_turn)
    begun = [one for one in able if str(one.address) in known]
    if in_turn or not begun:
        well = [one for one in able if one.outcome is Outcome.OK] or able
        first = well[_turn(request, len(well))]
        begun = [first, *(one for one in begun if one is not first)]
    chosen = begun[:POSTURES_MAX]
    return (*chosen, *_others(able, chosen))


def to_enumerate_too(request: ScanRequested, seen: HostSeen, measured: Sequence[Posture]) -> tuple[AddressSeen, ...]:
    """The address of the baseline's posture, if it was another one and answered otherwise; empty = none.

    Without it a host whose addresses accept different things behind equal handshakes would change with the calendar;
    with it the difference is found once, and from then on `to_enumerate` asks both.
    """
    baseline = request.baseline
    if baseline is None or baseline.posture is None or len(measured) >= POSTURES_MAX:
        return ()
    before = baseline.posture
    if not measured or before.address is None or before.address in {one.address for one in measured}:
        return ()
    if before.throttled or any(one.throttled for one in measured) or any(_alike(before, one) for one in measured):
        return ()
    able = (one for one in seen.addresses if probing.enumerates(request, one))
    return tuple(one for one in able if str(one.address) == before.address)


def fingerprint(seen: AddressSeen) -> Fingerprint:
    """What tells two addresses apart at a glance: SHA-256 (hex) of the leaf and of the ServerHello, None unknown."""
    if seen.handshake is None:
        return None, None
    leaf = hashlib.sha256(seen.handshake.chain[0]).hexdigest() if seen.handshake.chain else None
    return leaf, seen.handshake.hello_sha256


def _turn(request: ScanRequested, count: int) -> int:
    return (request.target.host_id.int + request.requested_at.toordinal()) % count


def _known(baseline: Baseline | None, *, only_differing: bool) -> frozenset[str | None]:
    """Addresses whose posture is known; those of one posture for all are interchangeable, and may be left out."""
    if baseline is None:
        return frozenset()
    several = baseline.address_postures
    if only_differing and all(_alike(several[0], one) for one in several[1:]):
        several = ()
    one = () if several or only_differing or baseline.posture is None else (baseline.posture,)
    return frozenset(posture.address for posture in (*several, *one))


def _others(able: Iterable[AddressSeen], chosen: Sequence[AddressSeen]) -> tuple[AddressSeen, ...]:
    met, others = {fingerprint(one) for one in chosen}, list[AddressSeen]()
    for one in able:
        if fingerprint(one) not in met and len(chosen) + len(others) < POSTURES_MAX:
            met.add(fingerprint(one))
            others.append(one)
    return tuple(others)


def _alike(one: Posture, other: Posture) -> bool:
    """Where and how the answers were had is no answer."""
    apart = {"address": None, "connections": 0, "duration_ms": None, "notes": ()}
    return one.model_copy(update=apart) == other.model_copy(update=apart)
