"""The chain as served leads to a trust anchor."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result:
    """F when no trust domain of the host accepts the chain; unknown never moves the letter."""
    if inspection.chain_valid is Verdict.YES:
        accepted = next(verdict.domain for verdict in inspection.trust if verdict.trusted is Verdict.YES)
        return Result(FindingLevel.GOOD, f"trusted by the {accepted} anchors")
    reason = inspection.chain_reason or "unknown"
    evidence = f"{reason}: {inspection.chain_detail}" if inspection.chain_detail else str(reason)
    if inspection.chain_valid is Verdict.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, evidence)
    return Result(FindingLevel.FAILURE, evidence, cap=Grade.F)


RULE = Rule(
    id="rfc5280.chain-validates",
    title="Chain validates",
    citation="RFC 5280 section 6",
    effective=date(2008, 5, 1),
    check=check,
    fix="serve the leaf with its intermediates, from a CA that the clients trust",
    posture=False,
)
