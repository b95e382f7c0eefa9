"""Addresses of one host that accept different things are said to; the letter is the worst one's."""

from datetime import date

from vigilo.events.cards import FindingLevel
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information. None unless several addresses were enumerated and differ: clients cannot choose the better one."""
    known = [posture for posture in inspection.snapshot.address_postures if not posture.throttled]
    if len(known) < 2:
        return None
    others = ", ".join(posture.address or "?" for posture in known)
    return Result(FindingLevel.INFO, f"{others} differ; this card is of {inspection.snapshot.address}, the worst")


RULE = Rule(
    id="house.addresses-differ",
    title="Addresses with different settings",
    citation="Vigilo",
    effective=date(2026, 1, 1),
    check=check,
    fix="give all addresses one configuration",
)
