"""TLS 1.0 and 1.1 must not be negotiated, SSL never; without TLS 1.3 the top letters are out of reach."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Posture, Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# SSL 2 and 3 are broken, not only old: RFC 6176, RFC 7568.
_BROKEN = frozenset({"SSLv2", "SSLv3"})
_DEPRECATED = frozenset({*_BROKEN, "TLSv1", "TLSv1.0", "TLSv1.1"})


def check(inspection: Inspection) -> Result:
    """F when the best version is TLS 1.1 or lower, or SSL 2 or 3 is accepted; A- at most when the best is TLS 1.2.

    Old versions beside newer ones are known where the posture was measured: TLS 1.0 and 1.1 are C at most. SSL 3 is no
    older sister of theirs: POODLE (CVE-2014-3566) reads it, and RFC 7568 forbids it as RFC 6176 forbids SSL 2.
    """
    version, posture = inspection.snapshot.tls_version, inspection.snapshot.posture
    if version is None:
        return Result(FindingLevel.UNKNOWN, "the negotiated version was not measured", cap=Grade.A)
    if version in _DEPRECATED:
        return Result(FindingLevel.FAILURE, f"the best version offered is {version}", cap=Grade.F)
    old = _old_versions(posture)
    if old:
        cap = Grade.C if _BROKEN.isdisjoint(old) else Grade.F
        return Result(FindingLevel.FAILURE, f"{', '.join(old)} accepted beside {version}", cap=cap)
    if version == "TLSv1.2":
        return Result(FindingLevel.WARNING, "no TLS 1.3", cap=Grade.A_MINUS)
    return Result(FindingLevel.GOOD, f"{version} is offered{_nothing_older(posture)}")


def _old_versions(posture: Posture | None) -> tuple[str, ...]:
    if posture is None:
        return ()
    return tuple(version for version in posture.supporting(Support.ACCEPTED) if version in _DEPRECATED)


def _nothing_older(posture: Posture | None) -> str:
    if posture is None or not _DEPRECATED - {"TLSv1"} <= set(posture.supporting(Support.REJECTED)):
        return ""
    return ", nothing below TLS 1.2"


RULE = Rule(
    id="rfc8996.protocol-version",
    title="Best protocol version",
    citation="RFC 8996 section 2; RFC 9325 section 3.1.1; RFC 7568; RFC 6176",
    effective=date(2021, 3, 1),
    check=check,
    fix="offer TLS 1.2 and 1.3, and nothing older",
)
