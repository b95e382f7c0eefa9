"""Suites without encryption, without authentication, or with broken ciphers must not be accepted."""

import re
from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Posture, Support
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

_SHOWN = 3
# The worst first. RC4: RFC 7465. Blocks of 64 bits: Sweet32, CVE-2016-2183.
_KINDS = (
    (
        "no encryption, no authentication or export strength",
        re.compile(r"_WITH_NULL|_anon_|_EXPORT|_DES_CBC_"),
        Grade.F,
    ),
    ("RC4 or a cipher of 64-bit blocks", re.compile(r"_RC4_|_3DES_|_IDEA_|_RC2_"), Grade.C),
)


def check(inspection: Inspection) -> Result | None:
    """F at most for suites that protect nothing, C at most for broken ciphers; None where the posture is not known."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    suites = _accepted(posture)
    for kind, pattern, cap in _KINDS:
        weak = [suite for suite in suites if pattern.search(suite)]
        if weak:
            return Result(FindingLevel.FAILURE, f"{kind}: {_listed(weak)}", cap=cap)
    if not suites or not _is_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, f"{len(suites)} accepted, none of them weak")


def _accepted(posture: Posture) -> list[str]:
    return list(dict.fromkeys(suite for version in posture.versions for suite in version.suites))


def _is_complete(posture: Posture) -> bool:
    """SSL 2 has suites of its own kind, which the rule on versions judges."""
    relevant = [version for version in posture.versions if version.version != "SSLv2"]
    return all(version.complete and version.support is not Support.UNKNOWN for version in relevant)


def _listed(suites: list[str]) -> str:
    more = len(suites) - _SHOWN
    return ", ".join(suites[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


RULE = Rule(
    id="rfc9325.cipher-suites",
    title="Cipher suites",
    citation="RFC 9325 section 4.1; RFC 7465",
    effective=date(2022, 11, 1),
    check=check,
)
