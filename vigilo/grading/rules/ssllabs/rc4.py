"""RC4 should not be accepted, still less chosen."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.clients.negotiated import modern_clients_using, modern_versions_of_only
from vigilo.grading.enumerated import suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_suites
from vigilo.tls.suite_traits import SuiteTraits


def check(inspection: Inspection) -> Result | None:
    """C where clients agree on it with TLS 1.1 or newer; B where it is accepted at all."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    used = (*modern_clients_using(inspection, _kind), *modern_versions_of_only(inspection, _kind))
    if used:
        return Result(FindingLevel.FAILURE, f"RC4 is used by {', '.join(used)}", cap=Grade.C)
    if any(map(_kind, accepted_suites(inspection.snapshot))):
        return Result(FindingLevel.FAILURE, "RC4 is accepted, but chosen with old protocols at most", cap=Grade.B)
    if not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, "RC4 refused")


def _kind(suite: SuiteTraits) -> bool:
    return suite.rc4


RULE = Rule(
    id="ssllabs.rc4",
    title="RC4",
    citation="Qualys, SSL Labs grading changes, December 2014 and May 2015",
    effective=date(2015, 5, 1),
    check=check,
    fix="switch RC4 off",
)
