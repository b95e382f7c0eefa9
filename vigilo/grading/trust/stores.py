"""Trust anchors as values. Reading them from disk is the adapters' business."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import Store
from OpenSSL import crypto

from vigilo.grading.trust.budget import Issuers, by_subject
from vigilo.grading.trust.distrust import NO_DISTRUST, DistrustOverlay


@dataclass(frozen=True)
class AnchorSet:
    """Some trust anchors and the version that names them in every verdict."""

    version: str
    anchors: tuple[x509.Certificate, ...]

    @cached_property
    def pyca_store(self) -> Store:
        """For cryptography's WebPKI verifier. Only for non-empty sets."""
        return Store(list(self.anchors))

    @cached_property
    def openssl_anchors(self) -> tuple[crypto.X509, ...]:
        """For OpenSSL's verifier."""
        return tuple(crypto.X509.from_cryptography(anchor) for anchor in self.anchors)

    @cached_property
    def fingerprints(self) -> frozenset[bytes]:
        """SHA-256 of each anchor."""
        return frozenset(hashlib.sha256(der).digest() for der in map(_der, self.anchors))

    @cached_property
    def instants(self) -> tuple[datetime, ...]:
        """Every instant at which an anchor's validity begins or ends: verdicts can change there."""
        return tuple(sorted({moment for anchor in self.anchors for moment in validity_edges(anchor)}))

    @cached_property
    def by_subject(self) -> Issuers:
        """The anchors by the DER of their subject."""
        return by_subject(self.anchors)

    def without(self, fingerprints: frozenset[bytes]) -> AnchorSet:
        """The other anchors."""
        kept = (one for one in self.anchors if hashlib.sha256(_der(one)).digest() not in fingerprints)
        return AnchorSet(self.version, tuple(kept))


@dataclass(frozen=True)
class TrustStores:
    """The anchors of both domains. `private` is empty when the workspace has none; `distrust` is about public ones."""

    public: AnchorSet
    private: AnchorSet = field(default_factory=lambda: AnchorSet("none", ()))
    distrust: DistrustOverlay = NO_DISTRUST

    @property
    def version(self) -> str:
        """Names both sets and the overlay, as kept in the card."""
        parts = [self.public.version]
        if self.distrust.rows:
            parts.append(f"distrust-{self.distrust.version}")
        if self.private.anchors:
            parts.append(self.private.version)
        return "+".join(parts)


def anchors_from_pem(pem: bytes, *, version: str) -> AnchorSet:
    """The certificates in a PEM bundle. Raises ValueError when it holds none."""
    return AnchorSet(version, tuple(x509.load_pem_x509_certificates(pem)))


def anchors_from_der(ders: Iterable[bytes], *, version: str) -> AnchorSet:
    """These certificates as anchors. Raises ValueError for bytes that are no certificate."""
    return AnchorSet(version, tuple(x509.load_der_x509_certificate(der) for der in ders))


def validity_edges(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """not_before and not_after, UTC-aware; both ends are inside the validity (RFC 5280 section 4.1.2.5)."""
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
