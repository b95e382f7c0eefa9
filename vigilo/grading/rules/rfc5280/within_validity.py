"""Every served certificate of the path is inside its validity."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result:
    """F when leaf or an intermediate has expired or is not valid yet. Both ends of the validity are inside it."""
    for certificate in (inspection.leaf, *inspection.issuers):
        if certificate.not_after is not None and inspection.at > certificate.not_after:
            evidence = f"{certificate.subject} expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
            return Result(FindingLevel.FAILURE, evidence, cap=Grade.F)
        if certificate.not_before is not None and inspection.at < certificate.not_before:
            evidence = f"{certificate.subject} is valid only from {certificate.not_before:%Y-%m-%d %H:%M} UTC"
            return Result(FindingLevel.FAILURE, evidence, cap=Grade.F)
    if inspection.leaf.not_after is None:
        return Result(FindingLevel.UNKNOWN, "the leaf's validity could not be read")
    return Result(FindingLevel.GOOD, f"leaf valid until {inspection.leaf.not_after:%Y-%m-%d %H:%M} UTC")


RULE = Rule(
    id="rfc5280.within-validity",
    title="Certificates are within their validity",
    citation="RFC 5280 section 4.1.2.5",
    effective=date(2008, 5, 1),
    check=check,
    fix="renew the certificate, and serve the new chain",
    posture=False,
)
