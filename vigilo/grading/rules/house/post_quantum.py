"""A hybrid post-quantum group is a condition of A+, never a reason for less than A."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result:
    """A at most without a hybrid ML-KEM group."""
    group = inspection.snapshot.group
    if group is None:
        return Result(FindingLevel.UNKNOWN, "the key exchange group was not measured", cap=Grade.A)
    if "mlkem" in group.lower():
        return Result(FindingLevel.GOOD, f"{group} is negotiated")
    return Result(FindingLevel.INFO, f"{group} is not post-quantum", cap=Grade.A)


RULE = Rule(
    id="house.post-quantum",
    title="Post-quantum key exchange",
    citation="draft-ietf-tls-ecdhe-mlkem",
    effective=date(2026, 1, 1),
    check=check,
)
