"""No certificate of the path, the root apart, is signed with a broken hash."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade, Special
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result:
    """F for MD2 and MD5; T for SHA-1."""
    served = [one for one in (inspection.leaf, *inspection.issuers) if not one.self_issued]
    algorithms = [one.signature_algorithm.lower() for one in served]
    for algorithm in algorithms:
        if any(broken in algorithm for broken in ("md2", "md4", "md5")):
            return Result(FindingLevel.FAILURE, algorithm, cap=Grade.F)
    for algorithm in algorithms:
        if "sha1" in algorithm or "sha-1" in algorithm:
            return Result(FindingLevel.FAILURE, algorithm, cap=Grade.F, special=Special.T)
    return Result(FindingLevel.GOOD, ", ".join(dict.fromkeys(algorithms)) or "self-issued")


RULE = Rule(
    id="ssllabs.signature",
    title="Signature algorithms",
    citation="SSL Server Rating Guide 2009e (MD2, MD5); SHA-1 as testssl.sh 3.3dev rates it",
    effective=date(2017, 1, 1),
    check=check,
    fix="replace the certificates by ones signed with SHA-256",
    posture=False,
    second_hand=True,
)
