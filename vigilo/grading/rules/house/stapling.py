"""OCSP stapling is always a line of the card; it costs only where a client would be harmed."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import StapleStatus
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_RESULTS = {
    StapleStatus.GOOD: Result(FindingLevel.GOOD, "a good response is stapled"),
    StapleStatus.REVOKED: Result(FindingLevel.FAILURE, "the stapled response says revoked", cap=Grade.F),
    StapleStatus.EXPIRED: Result(FindingLevel.WARNING, "the stapled response has expired", cap=Grade.A_MINUS),
    StapleStatus.INVALID: Result(FindingLevel.WARNING, "the stapled response is invalid", cap=Grade.B),
    StapleStatus.UNKNOWN: Result(FindingLevel.WARNING, "the responder does not know the certificate", cap=Grade.B),
    StapleStatus.NOT_STAPLED: Result(FindingLevel.INFO, "no response is stapled"),
    StapleStatus.NOT_OFFERED: Result(FindingLevel.INFO, "not applicable: the certificate names no OCSP responder"),
}
# The browsers that heed RFC 7633 fail with such a certificate, whatever it is that the staple lacks.
_USELESS = {
    StapleStatus.NOT_STAPLED: "none is sent",
    StapleStatus.EXPIRED: "the one sent has expired",
    StapleStatus.INVALID: "the one sent is invalid",
    StapleStatus.UNKNOWN: "the one sent does not know it",
}


def check(inspection: Inspection) -> Result:
    """B for a bad staple, A- for an old one, C for must-staple without a good one, F for revoked.

    Clients overlook an old staple and ask for a new one themselves. No staple is otherwise only said.
    """
    if inspection.staple_status is None:
        return Result(FindingLevel.UNKNOWN, "stapling was not measured")
    if inspection.leaf.must_staple and inspection.staple_status in _USELESS:
        return Result(FindingLevel.FAILURE, _unmet(inspection, _USELESS[inspection.staple_status]), cap=Grade.C)
    return _RESULTS[inspection.staple_status]


def _unmet(inspection: Inspection, what: str) -> str:
    nobody = "" if inspection.leaf.ocsp_urls else ", nor does it name a responder to get one from"
    return f"the certificate demands a staple and {what}{nobody}"


RULE = Rule(
    id="house.stapling",
    title="OCSP stapling",
    citation="RFC 6066 section 8; RFC 7633",
    effective=date(2026, 1, 1),
    check=check,
    fix="staple a fresh, good OCSP response; or use a certificate that does not demand one",
)
