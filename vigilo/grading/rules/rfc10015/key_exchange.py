"""RSA key exchange and Diffie-Hellman over finite fields are deprecated in TLS 1.2."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Posture, SuiteOrder, Support, VersionPosture
from vigilo.grading.enumerated import listed, suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.posture.traits import DHE, ECDHE, suite_traits


def check(inspection: Inspection) -> Result | None:
    """A- at most where TLS 1.2 offers one, B where the server prefers one or has nothing else.

    Offered is a warning, for clients that can do better get better; preferred means that they do not. TLS 1.0 and 1.1
    are out of the document's scope and cost more on their own. None where TLS 1.2 is not known to be accepted.
    """
    posture = inspection.snapshot.posture
    version = None if posture is None else _tls12(posture)
    if posture is None or version is None:
        return None
    obsolete = [suite for suite in version.suites if is_obsolete(suite)]
    if not obsolete:
        return _nothing_found(posture)
    if len(obsolete) == len(version.suites) and version.complete:
        return Result(FindingLevel.FAILURE, f"TLS 1.2 has nothing else: {listed(obsolete)}", cap=Grade.B)
    if version.order is SuiteOrder.SERVER and is_obsolete(version.suites[0]):
        return Result(FindingLevel.FAILURE, f"preferred in TLS 1.2: {version.suites[0]}", cap=Grade.B)
    return Result(FindingLevel.WARNING, f"accepted in TLS 1.2: {listed(obsolete)}", cap=Grade.A_MINUS)


def is_obsolete(suite: str) -> bool:
    """True for a suite whose keys are agreed without an elliptic curve of the moment: RSA, DH, DHE, static ECDH.

    Suites with pre-shared keys alone are not the document's subject.
    """
    traits = suite_traits(suite)
    if "_anon_" in suite or ECDHE in traits:
        return False
    return DHE in traits or suite.startswith(("TLS_RSA_", "SSL_RSA_", "TLS_DH_", "TLS_ECDH_"))


def _tls12(posture: Posture) -> VersionPosture | None:
    accepted = (one for one in posture.versions if one.support is Support.ACCEPTED and one.suites)
    return next((one for one in accepted if one.version == "TLSv1.2"), None)


def _nothing_found(posture: Posture) -> Result:
    if not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, "TLS 1.2 agrees on keys by ECDHE alone")


RULE = Rule(
    id="rfc10015.key-exchange",
    title="Obsolete key exchange",
    citation="RFC 10015",
    effective=date(2026, 7, 1),
    check=check,
    fix="switch off the suites that begin with TLS_RSA_, TLS_DH_, TLS_DHE_ and TLS_ECDH_; keep TLS_ECDHE_",
)
