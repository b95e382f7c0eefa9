"""Somebody who steals the server's key later must not read what was recorded before."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.enumerated import all_suites, suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.posture.traits import FORWARD_SECRECY_NONE, suite_traits


def check(inspection: Inspection) -> Result | None:
    """B at most where no accepted suite has forward secrecy; None where suites are not known.

    Every suite of TLS 1.3 has it. A server that has it only for some clients is the business of the rule on obsolete
    key exchange.
    """
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    suites = all_suites(posture)
    secret = [suite for suite in suites if FORWARD_SECRECY_NONE not in suite_traits(suite)]
    if secret:
        return Result(FindingLevel.GOOD, f"{len(secret)} of {len(suites)} accepted suites have forward secrecy")
    if not suites or not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.FAILURE, f"none of {len(suites)} accepted suites has forward secrecy", cap=Grade.B)


RULE = Rule(
    id="rfc9325.forward-secrecy",
    title="Forward secrecy",
    citation="RFC 9325 section 4.1",
    effective=date(2022, 11, 1),
    check=check,
    fix="offer TLS 1.3, or suites that begin with TLS_ECDHE_",
)
