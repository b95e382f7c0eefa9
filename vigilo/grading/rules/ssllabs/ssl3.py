"""SSL 3 should not be accepted."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Posture, Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """B; C with CBC suites (POODLE, CVE-2014-3566); F where nothing newer is accepted."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    if "SSLv3" in posture.supporting(Support.REJECTED):
        return Result(FindingLevel.GOOD, "SSLv3 refused")
    accepted = posture.supporting(Support.ACCEPTED)
    if "SSLv3" not in accepted:
        return Result(FindingLevel.UNKNOWN, "whether SSLv3 is accepted is not known")
    if not any(version.startswith("TLS") for version in accepted) and not _left_open(posture):
        return Result(FindingLevel.FAILURE, "nothing newer than SSLv3 accepted", cap=Grade.F)
    if any("_CBC_" in suite for one in posture.versions if one.version == "SSLv3" for suite in one.suites):
        return Result(FindingLevel.FAILURE, "SSLv3 accepted with CBC suites: POODLE", cap=Grade.C)
    return Result(FindingLevel.FAILURE, "SSLv3 accepted", cap=Grade.B)


def _left_open(posture: Posture) -> bool:
    return any(version.startswith("TLS") for version in posture.supporting(Support.UNKNOWN))


RULE = Rule(
    id="ssllabs.ssl3",
    title="SSL 3",
    citation="Qualys, SSL Labs grading changes, December 2014",
    effective=date(2014, 12, 1),
    check=check,
    fix="switch SSL 3 off",
)
