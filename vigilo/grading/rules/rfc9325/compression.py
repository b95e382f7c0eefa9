"""Compression inside TLS tells secrets by the length of what is sent."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.enumerated import accepts_below_tls13
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """C at most where it is accepted (CRIME, CVE-2012-4929); None where only TLS 1.3 is, which has none."""
    posture = inspection.snapshot.posture
    if posture is None or not accepts_below_tls13(posture):
        return None
    if posture.compression is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether compression is accepted is not known")
    if posture.compression is Support.REJECTED:
        return Result(FindingLevel.GOOD, "no compression")
    return Result(FindingLevel.FAILURE, "compression is accepted", cap=Grade.C)


RULE = Rule(
    id="rfc9325.compression",
    title="TLS compression",
    citation="RFC 9325 section 3.3; CVE-2012-4929",
    effective=date(2015, 5, 1),
    check=check,
    fix="switch TLS compression off",
)
