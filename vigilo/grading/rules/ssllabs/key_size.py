"""Keys and DH parameters are long enough."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import WeakKeyHint
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import key_rsa_bits


def check(inspection: Inspection) -> Result:
    """F below 1024 bits of RSA or their like and for the exponent 1, B below 2048. DH primes count like keys."""
    certificates = (inspection.leaf, *inspection.issuers)
    if any(WeakKeyHint.EXPONENT_ONE in one.weak_key for one in certificates):
        return Result(FindingLevel.FAILURE, "an RSA key with the exponent 1", cap=Grade.F)
    posture = inspection.snapshot.posture
    known = {"key": [bits for one in certificates if (bits := key_rsa_bits(one)) is not None]}
    known["DH prime"] = [posture.dh_bits] if posture is not None and posture.dh_bits is not None else []
    if not known["key"]:
        return Result(FindingLevel.UNKNOWN, "the size of the key is not known")
    bits, what = min((min(sizes), what) for what, sizes in known.items() if sizes)
    if bits >= 2048:
        return Result(FindingLevel.GOOD, f"{bits} bits of RSA, or as strong")
    return Result(FindingLevel.FAILURE, f"a {what} of {bits} bits", cap=Grade.F if bits < 1024 else Grade.B)


RULE = Rule(
    id="ssllabs.key-size",
    title="Key and parameter strength",
    citation="SSL Labs report text (weak DH); below 1024 bits and exponent 1 as testssl.sh 3.3dev rates them",
    effective=date(2015, 5, 1),
    check=check,
    fix="use keys and DH parameters of at least 2048 bits",
    second_hand=True,
)
