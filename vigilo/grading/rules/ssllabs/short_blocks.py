"""Ciphers with blocks of 64 bits should never be chosen by clients that know better."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.clients.negotiated import modern_clients_using, modern_versions_of_only
from vigilo.grading.enumerated import suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_suites
from vigilo.tls.suite_traits import SuiteTraits


def check(inspection: Inspection) -> Result | None:
    """C where clients agree on one with TLS 1.1 or newer (Sweet32, CVE-2016-2183); merely accepted costs nothing."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    used = (*modern_clients_using(inspection, _kind), *modern_versions_of_only(inspection, _kind))
    if used:
        return Result(FindingLevel.FAILURE, f"3DES or the like is used by {', '.join(used)}", cap=Grade.C)
    if any(map(_kind, accepted_suites(inspection.snapshot))):
        return Result(FindingLevel.INFO, "3DES or the like is accepted, but modern clients choose better")
    if not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, "none accepted")


def _kind(suite: SuiteTraits) -> bool:
    return suite.short_blocks


RULE = Rule(
    id="ssllabs.short-blocks",
    title="Ciphers with 64-bit blocks",
    citation="Qualys, SSL Labs grading changes, January 2017",
    effective=date(2017, 1, 1),
    check=check,
    fix="switch 3DES off, or put it last in the server's own order",
)
