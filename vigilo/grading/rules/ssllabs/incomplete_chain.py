"""The server must send the intermediates, too."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade, TrustReason
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """B where an issuer is missing; None otherwise. The model fetches it and then judges trust, we do not fetch."""
    if inspection.chain_reason is not TrustReason.INCOMPLETE:
        return None
    return Result(FindingLevel.FAILURE, inspection.chain_detail or "an intermediate is missing", cap=Grade.B)


RULE = Rule(
    id="ssllabs.incomplete-chain",
    title="Complete chain",
    citation="Qualys, SSL Labs grading changes, December 2014; SSL Labs report text, 2025",
    effective=date(2014, 12, 1),
    check=check,
    fix="serve the leaf with all its intermediates",
    posture=False,
)
