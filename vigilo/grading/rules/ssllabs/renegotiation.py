"""Renegotiation must be secured."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Support
from vigilo.grading.enumerated import accepts_below_tls13
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """A- where renegotiation_info is never sent. The guide's F is for servers that then renegotiate: not tried."""
    posture = inspection.snapshot.posture
    if posture is None or not accepts_below_tls13(posture):
        return None
    if posture.secure_renegotiation is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether renegotiation is secured is not known")
    if posture.secure_renegotiation is Support.ACCEPTED:
        return Result(FindingLevel.GOOD, "renegotiation is secured")
    return Result(FindingLevel.WARNING, "not secured; whether it is possible was not tried", cap=Grade.A_MINUS)


RULE = Rule(
    id="ssllabs.renegotiation",
    title="Secure renegotiation",
    citation="SSL Server Rating Guide 2009c (insecure: F), 2009e (A with a warning: A-)",
    effective=date(2014, 1, 1),
    check=check,
    fix="update the TLS library to one that knows RFC 5746",
)
