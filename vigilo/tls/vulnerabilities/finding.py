"""What a probe concludes: three values and the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigilo.events.posture import Exposure, Vulnerability

_WORST_FIRST = (Exposure.VULNERABLE, Exposure.UNKNOWN, Exposure.SAFE)


class Hole(StrEnum):
    """The holes that are probed for, by the names that snapshots use."""

    HEARTBLEED = "heartbleed"
    CCS = "ccs-injection"
    TICKETBLEED = "ticketbleed"
    ROBOT = "robot"


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe's conclusion; `evidence` continues "the server ..." or stands by itself."""

    exposure: Exposure
    evidence: str

    def about(self, hole: Hole) -> Vulnerability:
        """As the posture holds it."""
        return Vulnerability(name=hole, exposure=self.exposure, evidence=self.evidence)


def vulnerable(evidence: str) -> Finding:
    """The hole was seen open."""
    return Finding(Exposure.VULNERABLE, evidence)


def safe(evidence: str) -> Finding:
    """The server was seen to do the right thing, or cannot have the hole."""
    return Finding(Exposure.SAFE, evidence)


def unknown(evidence: str) -> Finding:
    """Nothing can be concluded."""
    return Finding(Exposure.UNKNOWN, evidence)


def worst(findings: Iterable[Sequence[Vulnerability]]) -> tuple[Vulnerability, ...]:
    """One list for several addresses: a hole at any of them is the host's; not known at one, it is not known safe."""
    by_name: dict[str, Vulnerability] = {}
    for one in (one for listed in findings for one in listed):
        known = by_name.get(one.name)
        if known is None or _WORST_FIRST.index(one.exposure) < _WORST_FIRST.index(known.exposure):
            by_name[one.name] = one
    return tuple(by_name[name] for name in sorted(by_name))
