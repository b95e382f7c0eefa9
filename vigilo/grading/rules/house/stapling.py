"""OCSP stapling is always a line of the card; it costs only where a client would be harmed."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import StapleStatus
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_RESULTS = {
    StapleStatus.GOOD: Result(FindingLevel.GOOD, "a good response is stapled"),
    StapleStatus.REVOKED: Result(FindingLevel.FAILURE, "the stapled response says revoked", cap=Grade.F),
    StapleStatus.EXPIRED: Result(FindingLevel.WARNING, "the stapled response has expired", cap=Grade.B),
    StapleStatus.INVALID: Result(FindingLevel.WARNING, "the stapled response is invalid", cap=Grade.B),
    StapleStatus.UNKNOWN: Result(FindingLevel.WARNING, "the responder does not know the certificate", cap=Grade.B),
    StapleStatus.NOT_STAPLED: Result(FindingLevel.INFO, "no response is stapled"),
    StapleStatus.NOT_OFFERED: Result(FindingLevel.INFO, "not applicable: the certificate names no OCSP responder"),
}
_MUST_STAPLE = Result(FindingLevel.FAILURE, "the certificate demands a staple and none is sent", cap=Grade.C)


def check(inspection: Inspection) -> Result:
    """B for a bad staple, C for must-staple without one, F for revoked; no staple is otherwise only information."""
    if inspection.staple_status is None:
        return Result(FindingLevel.UNKNOWN, "stapling was not measured")
    if inspection.staple_status is StapleStatus.NOT_STAPLED and inspection.leaf.must_staple:
        return _MUST_STAPLE
    return _RESULTS[inspection.staple_status]


RULE = Rule(
    id="house.stapling",
    title="OCSP stapling",
    citation="RFC 6066 section 8; RFC 7633",
    effective=date(2026, 1, 1),
    check=check,
)
