"""TLS 1.0 and 1.1 should not be accepted."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_versions

_OLD = ("TLSv1", "TLSv1.0", "TLSv1.1")


def check(inspection: Inspection) -> Result:
    """B, even beside newer versions."""
    old = [version for version in accepted_versions(inspection.snapshot) if version in _OLD]
    if old:
        return Result(FindingLevel.FAILURE, f"{', '.join(old)} accepted", cap=Grade.B)
    posture = inspection.snapshot.posture
    if posture is None or not {"TLSv1.0", "TLSv1.1"} <= set(posture.supporting(Support.REJECTED)):
        return Result(FindingLevel.UNKNOWN, "whether TLSv1.0 and TLSv1.1 are accepted is not known")
    return Result(FindingLevel.GOOD, "TLSv1.0 and TLSv1.1 refused")


RULE = Rule(
    id="ssllabs.old-tls",
    title="TLS 1.0 and 1.1",
    citation="SSL Server Rating Guide 2009q",
    effective=date(2020, 1, 31),
    check=check,
    fix="switch TLS 1.0 and 1.1 off",
)
