"""Keys of leaf and intermediates are long enough."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.weak_choices import key_is_short

RSA_MINIMUM = 2048
EC_MINIMUM = 256


def check(inspection: Inspection) -> Result:
    """F for RSA below 2048 bits, EC below 256 bits or DSA in leaf or intermediates."""
    certificates = (inspection.leaf, *inspection.issuers)
    for certificate in certificates:
        if is_weak(certificate):
            evidence = f"{certificate.key_algorithm} {certificate.key_bits or '?'} bits in {certificate.subject}"
            return Result(FindingLevel.FAILURE, evidence, cap=Grade.F)
    if any(certificate.key_algorithm is KeyAlgorithm.OTHER for certificate in certificates):
        return Result(FindingLevel.UNKNOWN, "a key of an algorithm this rulebook does not know")
    leaf = inspection.leaf
    return Result(FindingLevel.GOOD, f"{leaf.key_algorithm} {leaf.key_bits or ''}".strip())


def is_weak(certificate: CertificateFacts) -> bool:
    """True for a key no current client should accept; False when the size is not known."""
    if certificate.key_algorithm is KeyAlgorithm.DSA:
        return True
    algorithm, bits = certificate.key_algorithm, certificate.key_bits
    return key_is_short(algorithm, bits, rsa_bits=RSA_MINIMUM, curve_bits=EC_MINIMUM) is True


RULE = Rule(
    id="cabf-br.key-size",
    title="Key strength",
    citation="CA/Browser Forum Baseline Requirements section 6.1.5",
    effective=date(2014, 1, 1),
    check=check,
    fix="use RSA keys of at least 2048 bits or EC keys of at least 256, in the leaf and in every intermediate",
)
