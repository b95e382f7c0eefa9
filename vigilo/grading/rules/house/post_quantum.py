"""A hybrid post-quantum group is a condition of A+, never a reason for less than A."""

import re
from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_HYBRID_OF_ML_KEM = re.compile("(?i).+mlkem")


def check(inspection: Inspection) -> Result:
    """A at most without a hybrid ML-KEM group, negotiated or accepted. The drafts' Kyber is no longer spoken."""
    group, posture = inspection.snapshot.group, inspection.snapshot.posture
    if group is not None and _HYBRID_OF_ML_KEM.match(group):
        return Result(FindingLevel.GOOD, f"{group} is negotiated")
    accepted = () if posture is None or posture.groups is None else posture.groups.groups
    hybrid = next((name for name in accepted if _HYBRID_OF_ML_KEM.match(name)), None)
    if hybrid is not None:
        return Result(FindingLevel.GOOD, f"{hybrid} is accepted")
    if group is None:
        return Result(FindingLevel.UNKNOWN, "the key exchange group was not measured", cap=Grade.A)
    return Result(FindingLevel.INFO, f"{group} is not post-quantum", cap=Grade.A)


RULE = Rule(
    id="house.post-quantum",
    title="Post-quantum key exchange",
    citation="draft-ietf-tls-ecdhe-mlkem",
    effective=date(2026, 1, 1),
    check=check,
    fix="offer X25519MLKEM768: OpenSSL 3.5, Go 1.24 and newer do by themselves",
)
