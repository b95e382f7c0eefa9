"""The certificates are served in order, and no others with them."""

from datetime import date

from vigilo.events.cards import FindingLevel
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information. Clients of today sort what they are served; old ones do not, and every extra one is sent each time.

    RFC 8446 section 4.4.2 asks clients to bear with both. None where the shape was not looked at.
    """
    shape = inspection.snapshot.chain_shape
    if shape is None:
        return None
    flaws = ["the certificates are not in order"] if not shape.in_order else []
    flaws += [f"{len(shape.extra)} belong to no path from the leaf"] if shape.extra else []
    flaws += [f"{len(shape.duplicates)} are served twice"] if shape.duplicates else []
    if flaws:
        return Result(FindingLevel.WARNING, "; ".join(flaws))
    return Result(FindingLevel.GOOD, "in order, and nothing else is served")


RULE = Rule(
    id="rfc5246.chain-order",
    title="Order of the certificates",
    citation="RFC 5246 section 7.4.2; RFC 8446 section 4.4.2",
    effective=date(2008, 8, 1),
    check=check,
    fix="serve the leaf first, then each one's issuer, and nothing else",
)
