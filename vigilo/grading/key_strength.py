"""How strong a public key is, in bits, so that keys of different kinds can be compared.

Source: NIST SP 800-57 part 1 revision 5, section 5.6.1.1, table 2.
"""

from __future__ import annotations

from typing import Final

from vigilo.events.facts import CertificateFacts, KeyAlgorithm

ENOUGH: Final = 128  # bits; no attack tells keys beyond it apart
_FACTORING: Final = ((15_360, 256), (7_680, 192), (3_072, 128), (2_048, 112), (1_024, 80))  # modulus, strength
_FIXED: Final = {KeyAlgorithm.ED25519: 128, KeyAlgorithm.ED448: 224}


def strength_bits(certificate: CertificateFacts) -> int | None:
    """The strength of the certificate's key; 0 for one with a known weakness or below the table, None if unknown."""
    if certificate.weak_key:
        return 0
    if certificate.key_algorithm in _FIXED:
        return _FIXED[certificate.key_algorithm]
    bits = certificate.key_bits
    if bits is None or certificate.key_algorithm is KeyAlgorithm.OTHER:
        return None
    if certificate.key_algorithm is KeyAlgorithm.EC:
        return bits // 2
    return next((strength for modulus, strength in _FACTORING if bits >= modulus), 0)


def is_weaker(new: CertificateFacts, old: CertificateFacts) -> bool | None:
    """True when the new key is weaker in a way that matters; None when one of them is of an unknown kind."""
    after, before = strength_bits(new), strength_bits(old)
    if after is None or before is None:
        return None
    return min(after, ENOUGH) < min(before, ENOUGH)
