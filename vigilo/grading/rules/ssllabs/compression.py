"""TLS compression must be off."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """C where it is accepted (CRIME, CVE-2012-4929)."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    if posture.compression is Support.ACCEPTED:
        return Result(FindingLevel.FAILURE, "TLS compression accepted: CRIME", cap=Grade.C)
    if posture.compression is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether TLS compression is accepted is not known")
    return Result(FindingLevel.GOOD, "TLS compression refused")


RULE = Rule(
    id="ssllabs.compression",
    title="TLS compression",
    citation="SSL Server Rating Guide 2009c (B then); C as testssl.sh 3.3dev rates it",
    effective=date(2012, 9, 1),
    check=check,
    fix="switch TLS compression off",
    second_hand=True,
)
