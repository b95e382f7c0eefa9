"""TLS 1.2 at least must be offered, TLS 1.3 should be."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import accepted_versions


def check(inspection: Inspection) -> Result:
    """C without TLS 1.2 and 1.3, A- without TLS 1.3. A version that was not clearly answered is not held to be missing.

    Without an enumeration the newest version is the one negotiated: our offer holds them all.
    """
    snapshot = inspection.snapshot
    accepted = set(accepted_versions(snapshot)) | {snapshot.tls_version}
    unclear = snapshot.posture.supporting(Support.UNKNOWN) if snapshot.posture is not None else ()
    if "TLSv1.3" in accepted:
        return Result(FindingLevel.GOOD, "TLSv1.3 accepted")
    if "TLSv1.3" in unclear or accepted == {None}:
        return Result(FindingLevel.UNKNOWN, "whether TLSv1.3 is accepted is not known")
    if "TLSv1.2" in accepted or "TLSv1.2" in unclear:
        return Result(FindingLevel.WARNING, "no TLSv1.3", cap=Grade.A_MINUS)
    return Result(FindingLevel.FAILURE, "neither TLSv1.2 nor TLSv1.3", cap=Grade.C)


RULE = Rule(
    id="ssllabs.newest-version",
    title="TLS 1.2 and 1.3",
    citation="Qualys, SSL Labs grading changes, May 2015 and January 2017; SSL Server Rating Guide 2009r",
    effective=date(2025, 5, 16),
    check=check,
    fix="offer TLS 1.2 and 1.3",
    second_hand=True,
)
