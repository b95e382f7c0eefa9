"""Keys of a session are bound to its handshake."""

from datetime import date

from vigilo.events.cards import FindingLevel
from vigilo.events.posture import Support
from vigilo.grading.enumerated import accepts_below_tls13
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information: it helps where clients prove themselves inside a session. None where only TLS 1.3 is accepted."""
    posture = inspection.snapshot.posture
    if posture is None or not accepts_below_tls13(posture):
        return None
    if posture.extended_master_secret is Support.UNKNOWN:
        return Result(FindingLevel.UNKNOWN, "whether the extended master secret is used is not known")
    if posture.extended_master_secret is Support.REJECTED:
        return Result(FindingLevel.INFO, "the extended master secret is not used")
    return Result(FindingLevel.GOOD, "the extended master secret is used")


RULE = Rule(
    id="rfc7627.extended-master-secret",
    title="Extended master secret",
    citation="RFC 7627; RFC 9325 section 3.5",
    effective=date(2022, 11, 1),
    check=check,
    fix="update the TLS library",
)
