"""Which known postures a posture check has to prove again, and what its verdicts come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.scanner import probing
from services.scanner.choosing import fingerprint
from services.scanner.sightings import AddressSeen, HostSeen, PostureSeen
from vigilo.events.posture import Posture
from vigilo.events.scans import POSTURES_MAX, Depth, ScanRequested
from vigilo.tls.posture.check import Sameness, Verdict

Pair = tuple[AddressSeen, Posture]


def to_check(request: ScanRequested, seen: HostSeen) -> tuple[Pair, ...]:
    """Each address whose posture is known, with that posture; empty where only a full scan will do.

    That is: nothing is known, a known address is gone, or another one answers as none of the known ones does.
    """
    known = _known(request)
    able = {str(one.address): one for one in seen.addresses if probing.enumerates(request, one)}
    if not known or not all(posture.address in able for posture in known):
        return ()
    pairs = tuple((able[str(posture.address)], posture) for posture in known)
    met = {fingerprint(one) for one, _ in pairs}
    strange = any(fingerprint(one) not in met for one in able.values())
    return () if strange and len(known) < POSTURES_MAX else pairs


def conclude(pairs: Sequence[Pair], verdicts: Sequence[Verdict]) -> PostureSeen | None:
    """What the check comes to; None when a full scan is due.

    A server that stopped answering is left alone, whatever else was seen. One answer that stayed out is not taken for
    the old one: then nothing was checked, and the posture is carried over as by any light scan.
    """
    found = {verdict.sameness for verdict in verdicts}
    if Sameness.THROTTLED in found:
        return PostureSeen(throttled=True)
    if Sameness.DIFFERENT in found:
        return None
    if Sameness.UNCLEAR in found:
        return PostureSeen()
    return PostureSeen(tuple(posture for _, posture in pairs), Depth.POSTURE)


def _known(request: ScanRequested) -> tuple[Posture, ...]:
    baseline = request.baseline
    if baseline is None or baseline.posture is None:
        return ()
    return baseline.address_postures or (baseline.posture,)
