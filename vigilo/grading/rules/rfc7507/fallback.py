"""A client that retries with an older version than it speaks is refused."""

from datetime import date

from vigilo.events.cards import FindingLevel
from vigilo.events.posture import Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information: no client of today retries so, and TLS 1.3 guards itself. None with fewer than two versions."""
    posture = inspection.snapshot.posture
    if posture is None or len(set(posture.supporting(Support.ACCEPTED)) - {"SSLv2"}) < 2:
        return None
    if posture.fallback_scsv is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether a fallback is refused is not known")
    if posture.fallback_scsv is Support.REJECTED:
        return Result(FindingLevel.INFO, "a fallback to an older version is not refused")
    return Result(FindingLevel.GOOD, "a fallback to an older version is refused")


RULE = Rule(
    id="rfc7507.fallback",
    title="Fallback protection",
    citation="RFC 7507 section 3; RFC 9325 section 3.1.3",
    effective=date(2015, 4, 1),
    check=check,
    fix="update the TLS library, or accept one version alone",
)
