"""SSL 2 must not be accepted."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """F; it opens the other versions to DROWN (CVE-2016-0800), too."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    if "SSLv2" in posture.supporting(Support.ACCEPTED):
        return Result(FindingLevel.FAILURE, "SSLv2 accepted", cap=Grade.F)
    if "SSLv2" in posture.supporting(Support.REJECTED):
        return Result(FindingLevel.GOOD, "SSLv2 refused")
    return Result(FindingLevel.UNKNOWN, "whether SSLv2 is accepted is not known")


RULE = Rule(
    id="ssllabs.ssl2",
    title="SSL 2",
    citation="SSL Server Rating Guide 2009c",
    effective=date(2012, 1, 1),
    check=check,
    fix="switch SSL 2 off",
)
