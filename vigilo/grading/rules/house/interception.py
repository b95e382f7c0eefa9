"""Something that terminates TLS in front of the host is said to be there; it moves no letter of its own."""

from datetime import date

from vigilo.events.cards import FindingLevel, TrustReason, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.interception import interception
from vigilo.grading.rule import Result, Rule

# An issuer that somebody knows, or whose name nobody could read, is not "trusted by nobody".
_UNKNOWN_TO_ALL = frozenset({TrustReason.UNKNOWN_ISSUER, TrustReason.SELF_SIGNED, TrustReason.INCOMPLETE})


def check(inspection: Inspection) -> Result | None:
    """Information. None for nearly every host: only where nobody trusts the leaf and its issuer is one of proxies."""
    found = interception(inspection.leaf.issuer, trusted_by_nobody=_trusted_by_nobody(inspection))
    if found is None:
        return None
    words = f"{found.product} seems to answer in the host's place: {found.evidence}"
    return Result(FindingLevel.INFO, words)


def _trusted_by_nobody(inspection: Inspection) -> bool:
    return bool(inspection.trust) and all(
        verdict.trusted is Verdict.NO and verdict.reason in _UNKNOWN_TO_ALL for verdict in inspection.trust
    )


RULE = Rule(
    id="house.interception",
    title="A proxy in front of the host",
    citation="Vigilo",
    effective=date(2026, 1, 1),
    check=check,
    posture=False,
)
