"""Keys of a handshake are agreed in groups that nobody can compute through."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Posture
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.posture.traits import WEAK_GROUP, group_traits

DH_MINIMUM = 2048
# Logjam (CVE-2015-4000): 512 bits take minutes, 1024 a state's budget; below the latter is anybody's.
DH_BROKEN = 1024


def check(inspection: Inspection) -> Result | None:
    """F at most for DH primes below 1024 bits, B below 2048 bits or for curves below 224; None where neither is used.

    1024 bits are B and not F, as graders have it since Logjam: costly, and clients that can do better rarely get them.
    """
    posture = inspection.snapshot.posture
    if posture is None:
        return None
    bits = posture.dh_bits
    if bits is not None and bits < DH_MINIMUM:
        cap = Grade.F if bits < DH_BROKEN else Grade.B
        return Result(FindingLevel.FAILURE, f"a DH prime of {bits} bits", cap=cap)
    groups = _groups(posture)
    weak = [name for name in groups if WEAK_GROUP in group_traits(name)]
    if weak:
        return Result(FindingLevel.FAILURE, f"curves below 224 bits: {', '.join(weak[:3])}", cap=Grade.B)
    if not groups and bits is None:
        return None
    words = [f"{len(groups)} groups, none of them weak"] if groups else []
    return Result(FindingLevel.GOOD, "; ".join([*words, *([f"DH prime of {bits} bits"] if bits else [])]))


def _groups(posture: Posture) -> tuple[str, ...]:
    lists = [one.groups for one in (posture.groups, posture.groups_tls12) if one is not None]
    return tuple(dict.fromkeys(name for names in lists for name in names))


RULE = Rule(
    id="rfc9325.parameter-size",
    title="Size of key exchange parameters",
    citation="RFC 9325 section 4.5",
    effective=date(2022, 11, 1),
    check=check,
    fix="switch DHE off, or use a prime of at least 2048 bits; offer x25519 and secp256r1 instead of smaller curves",
)
