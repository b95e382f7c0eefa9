"""Nothing that was said in the clear is taken for what was said under TLS."""

from datetime import date

from vigilo.events.cards import FindingLevel
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information: bytes between the go-ahead and TLS are a fault, or a stranger's. None without STARTTLS.

    A client that keeps them takes them for the server's (CVE-2011-0411 and its like); this one dropped them.
    """
    starttls = inspection.snapshot.starttls
    if starttls is None:
        return None
    if starttls.early_bytes:
        return Result(FindingLevel.WARNING, f"{starttls.early_bytes} bytes in the clear after the go-ahead")
    return Result(FindingLevel.GOOD, "nothing in the clear after the go-ahead")


RULE = Rule(
    id="rfc3207.early-bytes",
    title="Silence before TLS",
    citation="RFC 3207 section 4.2; CVE-2011-0411",
    effective=date(2011, 3, 1),
    check=check,
    fix="update the server; if it is current, look for what stands in between",
)
