"""Which of a host's addresses are enumerated. Pure."""

from __future__ import annotations

from services.scanner import probing
from services.scanner.sightings import AddressSeen, HostSeen
from vigilo.events.scans import ScanRequested


def to_enumerate(request: ScanRequested, seen: HostSeen) -> tuple[AddressSeen, ...]:
    """The addresses whose posture is to be asked for, the one that speaks for the host first; empty = none."""
    if not seen.addresses:
        return ()
    first = probing.speaker(seen.addresses)
    return (first,) if probing.enumerates(request, first) else ()
