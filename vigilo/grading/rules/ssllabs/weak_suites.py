"""Suites that protect nothing must not be accepted."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.enumerated import listed, suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_suites

STRENGTH = 112


def check(inspection: Inspection) -> Result | None:
    """F for less than 112 bits, export, no encryption or no authentication, whoever would choose them."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    weak = [
        suite.name
        for suite in accepted_suites(inspection.snapshot)
        if suite.anonymous or suite.export or (suite.bits is not None and suite.bits < STRENGTH)
    ]
    if weak:
        return Result(FindingLevel.FAILURE, listed(weak), cap=Grade.F)
    if not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, f"none of less than {STRENGTH} bits")


RULE = Rule(
    id="ssllabs.weak-suites",
    title="Weak cipher suites",
    citation="Qualys, SSL Labs grading changes, January 2017; SSL Labs report text (anonymous suites)",
    effective=date(2017, 1, 1),
    check=check,
    fix="switch export, NULL, anonymous and DES suites off",
    second_hand=True,
)
