"""The parameters of an RSASSA-PSS signature (RFC 4055 section 3.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

from vigilo.tls.der import CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, NotDer, dotted, elements, only

_SALT_MAX = 1024  # octets; digests have 64 at most
_DEFAULT_SALT = 20
_MGF1 = "1.2.840.113549.1.1.8"
_DIGESTS: Mapping[str, type[hashes.HashAlgorithm]] = MappingProxyType(
    {
        "1.3.14.3.2.26": hashes.SHA1,
        "2.16.840.1.101.3.4.2.4": hashes.SHA224,
        "2.16.840.1.101.3.4.2.1": hashes.SHA256,
        "2.16.840.1.101.3.4.2.2": hashes.SHA384,
        "2.16.840.1.101.3.4.2.3": hashes.SHA512,
    }
)


@dataclass(frozen=True, slots=True)
class Pss:
    """Digest, digest of the mask, and length of the salt in octets."""

    digest: hashes.HashAlgorithm
    mask_digest: hashes.HashAlgorithm
    salt_length: int


def read_pss(algorithm: bytes) -> Pss:
    """The parameters of a whole AlgorithmIdentifier; what it leaves out is as in SHA-1's days. Raises NotDer."""
    parts = list(elements(only(algorithm, SEQUENCE).content))
    fields = {one.tag: one.content for one in elements(parts[1].content)} if len(parts) > 1 else {}
    digest = _digest(fields[CONTEXT_0]) if CONTEXT_0 in fields else hashes.SHA1()
    mask = _mask(fields[CONTEXT_0 + 1]) if CONTEXT_0 + 1 in fields else hashes.SHA1()
    salt = _DEFAULT_SALT
    if CONTEXT_0 + 2 in fields:
        salt = int.from_bytes(only(fields[CONTEXT_0 + 2], INTEGER).content, "big")
    if salt > _SALT_MAX:
        raise NotDer(f"a salt of {salt} octets")
    return Pss(digest, mask, salt)


def _digest(algorithm: bytes) -> hashes.HashAlgorithm:
    kind = _DIGESTS.get(_oid(algorithm))
    if kind is None:
        raise NotDer("an unknown digest")
    return kind()


def _mask(algorithm: bytes) -> hashes.HashAlgorithm:
    if _oid(algorithm) != _MGF1:
        raise NotDer("an unknown mask generation function")
    parts = list(elements(only(algorithm, SEQUENCE).content))
    if len(parts) < 2:
        raise NotDer("a mask generation function without its digest")
    return _digest(parts[1].whole)


def _oid(algorithm: bytes) -> str:
    first = next(elements(only(algorithm, SEQUENCE).content), None)
    if first is None or first.tag != OBJECT_IDENTIFIER:
        raise NotDer("an algorithm without an identifier")
    return dotted(first.content)
