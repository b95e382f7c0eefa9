"""Ciphers that authenticate what they encrypt: CBC and stream ciphers with a separate MAC have failed too often."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.enumerated import all_suites, suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.posture.traits import AEAD, suite_traits


def check(inspection: Inspection) -> Result | None:
    """B at most where no accepted suite is AEAD; None where suites are not known. TLS 1.3 has nothing else."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    suites = all_suites(posture)
    modern = [suite for suite in suites if AEAD in suite_traits(suite)]
    if modern:
        return Result(FindingLevel.GOOD, f"{len(modern)} of {len(suites)} accepted suites are AEAD")
    if not suites or not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.FAILURE, f"none of {len(suites)} accepted suites is AEAD", cap=Grade.B)


RULE = Rule(
    id="rfc9325.authenticated-encryption",
    title="Authenticated encryption",
    citation="RFC 9325 sections 4.1 and 4.2",
    effective=date(2022, 11, 1),
    check=check,
    fix="offer TLS 1.3, or suites with GCM or ChaCha20-Poly1305",
)
