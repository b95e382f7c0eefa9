"""Keys and signatures by the names certificates' facts have for them: which are too weak. Pure.

Source: NIST SP 800-57 part 1 revision 5, section 5.6.1.1 (sizes); RFC 9155 (MD5 and SHA-1 in signatures).
"""

from __future__ import annotations

from typing import Final

from vigilo.events.facts import KeyAlgorithm
from vigilo.tls import oids

_BROKEN: Final = ("md2", "md4", "md5", "sha1", "sha-1")
_KNOWN_SIGNATURES: Final = frozenset(oids.SIGNATURE_ALGORITHMS.values()) - {"RSASSA-PSS"}
_PSS: Final = "RSASSA-PSS with "
# As strong as elliptic-curve keys of so many bits (RFC 8032 sections 5.1 and 5.2).
_AS_CURVE: Final = {KeyAlgorithm.ED25519.value: 256, KeyAlgorithm.ED448.value: 448}
# FIPS 204: its smallest set is meant to be no easier to break than SHA-256 collisions.
_POST_QUANTUM: Final = frozenset({"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"})


def signature_is_broken(algorithm: str) -> bool:
    """True for a signature over MD2, MD4, MD5 or SHA-1."""
    return any(broken in algorithm.lower() for broken in _BROKEN)


def signature_is_weak(algorithm: str | None) -> bool | None:
    """Like `signature_is_broken`; None for an algorithm of which nothing is known here."""
    if algorithm is None:
        return None
    if signature_is_broken(algorithm):
        return True
    known = algorithm in _KNOWN_SIGNATURES or algorithm.startswith(_PSS)
    return False if known else None


def key_is_short(algorithm: str | None, bits: int | None, *, rsa_bits: int, curve_bits: int) -> bool | None:
    """True for an RSA or DSA key below `rsa_bits`, or one on a curve below `curve_bits`; None where nobody can tell."""
    if algorithm in _POST_QUANTUM:
        return False
    if algorithm in _AS_CURVE:
        return _AS_CURVE[algorithm] < curve_bits
    if bits is None or algorithm is None:
        return None
    match algorithm:
        case KeyAlgorithm.RSA | KeyAlgorithm.DSA:
            return bits < rsa_bits
        case KeyAlgorithm.EC:
            return bits < curve_bits
    return None
