"""A handshake can be told from one that a stranger began."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.enumerated import accepts_below_tls13
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """F where a server older than TLS 1.3 never shows renegotiation_info; None where there is nothing to renegotiate.

    CVE-2009-3555: without it a client cannot know whether its request was put behind a stranger's. Whether the server
    would renegotiate is not tried. Clients cannot try, either: OpenSSL 3 refuses such servers altogether.
    """
    posture = inspection.snapshot.posture
    if posture is None or not accepts_below_tls13(posture):
        return None
    if posture.secure_renegotiation is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether renegotiation is secured is not known")
    if posture.secure_renegotiation is Support.ACCEPTED:
        return Result(FindingLevel.GOOD, "renegotiation is secured")
    return Result(FindingLevel.FAILURE, "renegotiation_info is never sent", cap=Grade.F)


RULE = Rule(
    id="rfc5746.secure-renegotiation",
    title="Secure renegotiation",
    citation="RFC 5746 section 3.6; RFC 9325 section 3.5",
    effective=date(2010, 2, 1),
    check=check,
    fix="update the TLS library to one that knows RFC 5746, or offer TLS 1.3 alone",
)
