"""Suites without encryption, without authentication, or with broken ciphers must not be accepted."""

import re
from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.enumerated import all_suites, listed, suites_are_complete
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# The worst first. RC4: RFC 7465. Blocks of 64 bits: Sweet32, CVE-2016-2183.
_KINDS = (
    (
        "no encryption, no authentication or export strength",
        re.compile(r"_WITH_NULL|^TLS_SHA(?:256|384)_SHA|_anon_|_EXPORT|_DES_CBC_|_DES40_|_RC2_"),
        Grade.F,
    ),
    ("RC4 or a cipher of 64-bit blocks", re.compile(r"_RC4_|_3DES_|_IDEA_"), Grade.C),
)


def check(inspection: Inspection) -> Result | None:
    """F at most for suites that protect nothing, C at most for broken ciphers; None where the posture is not known."""
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    suites = all_suites(posture)
    for kind, pattern, cap in _KINDS:
        weak = [suite for suite in suites if pattern.search(suite)]
        if weak:
            return Result(FindingLevel.FAILURE, f"{kind}: {listed(weak)}", cap=cap)
    if not suites or not suites_are_complete(posture):
        return Result(FindingLevel.UNKNOWN, "not all accepted cipher suites are known")
    return Result(FindingLevel.GOOD, f"{len(suites)} accepted, none of them weak")


RULE = Rule(
    id="rfc9325.cipher-suites",
    title="Cipher suites",
    citation="RFC 9325 section 4.1; RFC 7465",
    effective=date(2022, 11, 1),
    check=check,
    fix="switch off the suites named",
)
