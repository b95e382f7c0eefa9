"""A certificate for another name makes everything else not worth a letter: M."""

from datetime import date

from vigilo.events.cards import FindingLevel, Special, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.rules.rfc9525 import name_matches


def check(inspection: Inspection) -> Result:
    """M; newer reports of the model write T for this, too."""
    found = name_matches.check(inspection)
    if inspection.name_matches is not Verdict.NO:
        return found
    return Result(FindingLevel.FAILURE, found.evidence, cap=found.cap, special=Special.M)


RULE = Rule(
    id="ssllabs.name-matches",
    title="Certificate matches the host name",
    citation="SSL Server Rating Guide 2009e, Certificate Inspection",
    effective=date(2014, 1, 1),
    check=check,
    fix="have a certificate issued whose subjectAltName holds the name",
    posture=False,
)
