"""Some suite with authenticated encryption must be accepted."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.enumerated import suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_suites


def check(inspection: Inspection) -> Result | None:
    """B where there is none."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    suites = accepted_suites(inspection.snapshot)
    if any(suite.aead for suite in suites):
        return Result(FindingLevel.GOOD, "AEAD suites accepted")
    if not suites or not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.FAILURE, f"none of {len(suites)} accepted suites is one of AEAD", cap=Grade.B)


RULE = Rule(
    id="ssllabs.authenticated-encryption",
    title="Authenticated encryption",
    citation="SSL Server Rating Guide 2009p",
    effective=date(2018, 3, 1),
    check=check,
    fix="offer TLS 1.3, or suites with GCM or ChaCha20-Poly1305",
)
