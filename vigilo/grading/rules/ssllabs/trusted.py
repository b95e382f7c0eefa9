"""A certificate that clients do not trust makes everything else not worth a letter: T."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade, Special, TrustReason, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result:
    """T for a chain nobody of the host's trust domains accepts; F for a revoked one.

    An incomplete chain is the business of a rule of its own: whether it would be trusted when complete is not known.
    """
    detail = f"{inspection.chain_reason}: {inspection.chain_detail or 'no more is known'}"
    if inspection.chain_valid is Verdict.YES:
        return Result(FindingLevel.GOOD, "the chain is trusted")
    if inspection.chain_valid is Verdict.UNKNOWN or inspection.chain_reason is TrustReason.INCOMPLETE:
        return Result(FindingLevel.UNKNOWN, detail)
    if inspection.chain_reason is TrustReason.REVOKED:
        return Result(FindingLevel.FAILURE, detail, cap=Grade.F)
    return Result(FindingLevel.FAILURE, detail, cap=Grade.F, special=Special.T)


RULE = Rule(
    id="ssllabs.trusted",
    title="Certificate is trusted",
    citation="SSL Server Rating Guide 2009e, Certificate Inspection; Qualys, 2017 and 2018 (distrusted CAs)",
    effective=date(2014, 1, 1),
    check=check,
    fix="use a certificate of a CA that clients trust, within its validity",
    posture=False,
)
