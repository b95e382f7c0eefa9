"""How much work a chain may cause, counted before any verifier sees it. Steps, not seconds: same input, same end.

cryptography's verifier tries every certificate whose subject is the issuer's name, so its work grows as branches to the
power of the depth. OpenSSL takes one issuer per step and never goes back. See docs/decisions/0018.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from vigilo.tls.extensions import extension

MAX_SIGNATURE_CHECKS = 100
MAX_PATHS = 64
# OpenSSL refuses larger moduli itself (OPENSSL_RSA_MAX_MODULUS_BITS), and exponents this long only beyond 3072 bits.
MAX_RSA_BITS = 16_384
MAX_EXPONENT_BITS = 64
# Every name below a constrained CA is compared with every constraint.
MAX_NAME_COMPARISONS = 250_000
MAX_CERTIFICATES = 64

X = TypeVar("X", bound=x509.ExtensionType)
Issuers = Mapping[bytes, Sequence[x509.Certificate]]


def searchable(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """`others` without copies, the leaf, and self-signed ones: an anchor of that name needs none of them.

    A self-issued certificate whose key identifiers differ (a key rollover, RFC 4210 section 4.4) stays.
    """
    kept: dict[x509.Certificate, None] = dict.fromkeys(one for one in others if one != leaf and not _self_signed(one))
    return tuple(kept)


def too_much(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> str | None:
    """Why no verifier is given this chain, or None. For both domains."""
    chain = (leaf, *others)
    if len(chain) > MAX_CERTIFICATES:
        return f"more than {MAX_CERTIFICATES} certificates"
    if any(_heavy_key(one) for one in chain):
        return f"an RSA key beyond {MAX_RSA_BITS} bits, or with an exponent beyond {MAX_EXPONENT_BITS}"
    names, constraints = sum(map(_names, chain)), sum(map(_constraints, chain))
    if names * constraints > MAX_NAME_COMPARISONS:
        return f"{names} names against {constraints} name constraints"
    return None


def too_many_paths(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: Issuers, *, max_depth: int
) -> str | None:
    """Why the search for a path could be too long, or None. `others` as `searchable` gives them.

    Counts what a verifier tries that goes by names alone, and stops at the first step over the budget.
    """
    served = by_subject(others)
    count = _Count(served, anchors)
    count.follow(leaf, max_depth)
    if count.over:
        return f"more than {MAX_SIGNATURE_CHECKS} signatures or {MAX_PATHS} paths to try"
    return None


@dataclass(slots=True)
class _Count:
    served: Issuers
    anchors: Issuers
    checks: int = 0
    paths: int = 0
    names: dict[x509.Certificate, bytes] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.checks > MAX_SIGNATURE_CHECKS or self.paths > MAX_PATHS

    def follow(self, certificate: x509.Certificate, left: int) -> None:
        name = self.names.setdefault(certificate, _name(lambda: certificate.issuer))
        ends, goes_on = self.anchors.get(name, ()), self.served.get(name, ())
        self.checks += len(ends) + len(goes_on)
        self.paths += len(ends) if goes_on else max(1, len(ends))
        for issuer in goes_on:
            if self.over or left <= 0:
                return
            self.follow(issuer, left - 1)


def by_subject(certificates: Iterable[x509.Certificate]) -> Issuers:
    """The certificates by the DER of their subject."""
    found: dict[bytes, list[x509.Certificate]] = defaultdict(list)
    for one in certificates:
        found[_subject(one)].append(one)
    return found


def _self_signed(certificate: x509.Certificate) -> bool:
    try:
        if certificate.issuer != certificate.subject:
            return False
    except ValueError:
        return False
    own = _extension(certificate, x509.SubjectKeyIdentifier)
    above = _extension(certificate, x509.AuthorityKeyIdentifier)
    return own is None or above is None or above.key_identifier in (None, own.digest)


def _heavy_key(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except Exception:  # hostile bytes: a key no parser takes is one no verifier uses
        return False
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    return key.key_size > MAX_RSA_BITS or key.public_numbers().e.bit_length() > MAX_EXPONENT_BITS


def _names(certificate: x509.Certificate) -> int:
    san = _extension(certificate, x509.SubjectAlternativeName)
    return 1 + (0 if san is None else len(list(san)))


def _constraints(certificate: x509.Certificate) -> int:
    limits = _extension(certificate, x509.NameConstraints)
    return 0 if limits is None else len(limits.permitted_subtrees or ()) + len(limits.excluded_subtrees or ())


def _extension(certificate: x509.Certificate, kind: type[X]) -> X | None:
    try:
        return extension(certificate.extensions, kind)
    except Exception:  # hostile bytes: what cannot be decoded here is not followed by a verifier either
        return None


def _subject(certificate: x509.Certificate) -> bytes:
    return _name(lambda: certificate.subject)


def _name(name: Callable[[], x509.Name]) -> bytes:
    try:
        return name().public_bytes()
    except ValueError:  # all unreadable names count as one: rather too many steps than too few
        return b""
