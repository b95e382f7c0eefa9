"""Reference clients must get forward secrecy."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.clients import ClientResult
from vigilo.grading.clients.negotiated import reference_results
from vigilo.grading.clients.reference import CLIENTS
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.suite_traits import suite_traits


def check(inspection: Inspection) -> Result | None:
    """B where no reference client gets it, or one does not although it could with that server."""
    if inspection.snapshot.posture is None:
        return None
    results = reference_results(inspection)
    if not results:
        return Result(FindingLevel.UNKNOWN, "what the reference clients would agree on is not known")
    without = [one.name for one in results if not one.forward_secret]
    if len(without) == len(results):
        return Result(FindingLevel.FAILURE, "no reference client gets forward secrecy", cap=Grade.B)
    deprived = [one.name for one in results if not one.forward_secret and _could(one, inspection)]
    if deprived:
        return Result(FindingLevel.FAILURE, f"no forward secrecy with {', '.join(deprived)}", cap=Grade.B)
    return Result(FindingLevel.GOOD, f"forward secrecy with {len(results) - len(without)} of {len(results)} clients")


def _could(result: ClientResult, inspection: Inspection) -> bool:
    offered = {suite for one in CLIENTS if one.name == result.name for suite in one.suites}
    posture = inspection.snapshot.posture
    accepted = posture.versions if posture is not None else ()
    common = [name for one in accepted if one.version == result.version for name in one.suites if name in offered]
    return any(suite.forward_secret for name in common if (suite := suite_traits(name)) is not None)


RULE = Rule(
    id="ssllabs.forward-secrecy",
    title="Forward secrecy",
    citation="SSL Server Rating Guide 2009p; Qualys CertView help (reference clients)",
    effective=date(2018, 3, 1),
    check=check,
    fix="offer TLS 1.3, or put suites that begin with TLS_ECDHE_ first in the server's own order",
)
