"""The leaf is for the name that was asked for."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_SHOWN = 5


def check(inspection: Inspection) -> Result:
    """F when no subjectAltName matches; the subject's common name never counts."""
    asked = inspection.snapshot.target.sni or inspection.snapshot.target.hostname
    if inspection.name_matches is Verdict.YES:
        return Result(FindingLevel.GOOD, f"{asked} is in the subjectAltName")
    if inspection.name_matches is Verdict.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, f"not all {inspection.leaf.san_count} names of the leaf are known")
    names = ", ".join((*inspection.leaf.san, *inspection.leaf.san_ip)[:_SHOWN]) or "no names at all"
    more = f" and {inspection.leaf.san_count - _SHOWN} more" if inspection.leaf.san_count > _SHOWN else ""
    return Result(FindingLevel.FAILURE, f"{asked} is not among: {names}{more}", cap=Grade.F)


RULE = Rule(
    id="rfc9525.name-matches",
    title="Certificate matches the host name",
    citation="RFC 9525 section 6",
    effective=date(2023, 11, 1),
    check=check,
    fix="have a certificate issued whose subjectAltName holds the name",
    posture=False,
)
