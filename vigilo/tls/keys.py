"""SubjectPublicKeyInfo to facts of the key (RFC 5280 section 4.1.2.7, RFC 3279, RFC 5480, RFC 8410). Pure.

Read from the bytes and not through a crypto library, which would refuse exactly the keys worth reporting: too short,
odd exponent, unknown curve.
"""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.events.facts import KeyAlgorithm, WeakKeyHint
from vigilo.tls import oids
from vigilo.tls.der import BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, Element, NotDer, dotted, elements, only
from vigilo.tls.weak_keys import weak_rsa

_USUAL_EXPONENT = 65537
_FIXED_SIZES = {"Ed25519": (KeyAlgorithm.ED25519, 256), "Ed448": (KeyAlgorithm.ED448, 456)}


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """`bits` is the modulus or field size; `detail` the curve, an unusual exponent or the name of another algorithm."""

    algorithm: KeyAlgorithm = KeyAlgorithm.OTHER
    bits: int | None = None
    detail: str | None = None
    weak: tuple[WeakKeyHint, ...] = ()


def describe_key(spki: bytes) -> KeyFacts:
    """The facts of a public key. Raises NotDer."""
    algorithm, key = _two(only(spki, SEQUENCE).content)
    parts = list(elements(algorithm.content))
    if not parts or parts[0].tag != OBJECT_IDENTIFIER:
        raise NotDer("a key without an algorithm")
    oid = dotted(parts[0].content)
    name = oids.KEYS.get(oid, oid)
    if name in {"rsaEncryption", "RSASSA-PSS"}:
        return _rsa(key, pss=name == "RSASSA-PSS")
    if name == "ecPublicKey":
        return _ec(parts[1] if len(parts) > 1 else None)
    if name == "DSA":
        return _dsa(parts[1] if len(parts) > 1 else None)
    if name in _FIXED_SIZES:
        kind, bits = _FIXED_SIZES[name]
        return KeyFacts(kind, bits)
    return KeyFacts(detail=name)


def _two(content: bytes) -> tuple[Element, Element]:
    parts = list(elements(content))
    if len(parts) != 2:
        raise NotDer(f"{len(parts)} parts where two were expected")
    return parts[0], parts[1]


def _rsa(key: Element, *, pss: bool) -> KeyFacts:
    if key.tag != BIT_STRING:
        raise NotDer("a key that is no bit string")
    modulus, exponent = _two(only(key.content[1:], SEQUENCE).content)
    e = int.from_bytes(exponent.content, "big")
    details = ["RSASSA-PSS"] if pss else []
    if e != _USUAL_EXPONENT:
        details.append(f"e={e}" if e.bit_length() <= 64 else "e of more than 64 bits")
    weak = weak_rsa(int.from_bytes(modulus.content, "big"), e)
    return KeyFacts(KeyAlgorithm.RSA, _bits(modulus), ", ".join(details) or None, weak)


def _ec(parameters: Element | None) -> KeyFacts:
    if parameters is None or parameters.tag != OBJECT_IDENTIFIER:
        return KeyFacts(KeyAlgorithm.EC, None, "explicit curve parameters")
    oid = dotted(parameters.content)
    curve, bits = oids.CURVES.get(oid, (oid, None))
    return KeyFacts(KeyAlgorithm.EC, bits, curve)


def _dsa(parameters: Element | None) -> KeyFacts:
    if parameters is None or parameters.tag != SEQUENCE:
        return KeyFacts(KeyAlgorithm.DSA)
    prime = next(elements(parameters.content), None)
    return KeyFacts(KeyAlgorithm.DSA, None if prime is None else _bits(prime))


def _bits(integer: Element) -> int:
    if integer.tag != INTEGER:
        raise NotDer("no integer")
    return int.from_bytes(integer.content, "big").bit_length()
