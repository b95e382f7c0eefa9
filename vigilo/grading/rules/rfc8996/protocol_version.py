"""TLS 1.0 and 1.1 must not be negotiated; without TLS 1.3 the top letters are out of reach."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_DEPRECATED = frozenset({"SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"})


def check(inspection: Inspection) -> Result:
    """F when the best version is TLS 1.1 or lower, A- at most when it is TLS 1.2."""
    version = inspection.snapshot.tls_version
    if version is None:
        return Result(FindingLevel.UNKNOWN, "the negotiated version was not measured")
    if version in _DEPRECATED:
        return Result(FindingLevel.FAILURE, f"the best version offered is {version}", cap=Grade.F)
    if version == "TLSv1.2":
        return Result(FindingLevel.WARNING, "no TLS 1.3", cap=Grade.A_MINUS)
    return Result(FindingLevel.GOOD, f"{version} is offered")


RULE = Rule(
    id="rfc8996.protocol-version",
    title="Best protocol version",
    citation="RFC 8996 section 2; RFC 9325 section 3.1.1",
    effective=date(2021, 3, 1),
    check=check,
)
