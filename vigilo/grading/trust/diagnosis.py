"""Why OpenSSL refuses a chain, as our reason codes with certificate and depth.

Codes: OpenSSL `X509_verify_cert_error_string`, x509_vfy.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID
from OpenSSL import crypto

from vigilo.events.cards import TrustReason
from vigilo.grading.trust.purpose import NO_USABLE_EXTENSION, purpose_objection
from vigilo.grading.trust.stores import AnchorSet

_EXPIRED = frozenset({10, 12})
_NOT_YET_VALID = frozenset({9, 11})
_SELF_SIGNED_LEAF = 18
_NO_ISSUER = frozenset({2, 19, 20, 21, 27})
_BAD_SIGNATURE = frozenset({4, 5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first fault OpenSSL met. `depth` counts from the leaf, 0."""

    reason: TrustReason
    detail: str
    depth: int
    certificate_sha256: str | None


def diagnose(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: AnchorSet, *, at: datetime
) -> Refusal | None:
    """None when OpenSSL, allowed partial chains, accepts the chain for a TLS server at that instant; else its first
    objection."""
    found = find_path(leaf, others, anchors, at=at)
    return found if isinstance(found, Refusal) else None


def find_path(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: AnchorSet, *, at: datetime
) -> Sequence[x509.Certificate] | Refusal:
    """The one path OpenSSL goes straight to, leaf first, an anchor last; or its first objection."""
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    # pyOpenSSL takes naive datetimes as UTC.
    store.set_time(at.replace(tzinfo=None))
    for anchor in anchors.openssl_anchors:
        store.add_cert(anchor)
    untrusted = [crypto.X509.from_cryptography(other) for other in others]
    context = crypto.X509StoreContext(store, crypto.X509.from_cryptography(leaf), untrusted)
    try:
        path = [certificate.to_cryptography() for certificate in context.get_verified_chain()]
    except crypto.X509StoreContextError as error:
        return _refusal(error, at=at)
    return _misused(path) or path


def _misused(path: Sequence[x509.Certificate]) -> Refusal | None:
    # pyOpenSSL cannot set the purpose of a verification.
    objection = purpose_objection(path)
    if objection is None:
        return None
    depth, words = objection
    fingerprint = path[depth].fingerprint(hashes.SHA256()).hex()
    return Refusal(TrustReason.CONSTRAINT, _detail(words, path[depth]), depth, fingerprint)


def _refusal(error: crypto.X509StoreContextError, *, at: datetime) -> Refusal:
    code, depth, message = int(error.errors[0]), int(error.errors[1]), str(error.errors[2])
    certificate = error.certificate.to_cryptography() if error.certificate is not None else None
    return Refusal(
        reason=_reason(code, certificate),
        detail=_detail(message, certificate),
        depth=depth,
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex() if certificate is not None else None,
    )


def _reason(code: int, certificate: x509.Certificate | None) -> TrustReason:
    if code in _EXPIRED:
        return TrustReason.EXPIRED
    if code in _NOT_YET_VALID:
        return TrustReason.NOT_YET_VALID
    if code == _SELF_SIGNED_LEAF:
        return TrustReason.SELF_SIGNED
    if code in _BAD_SIGNATURE:
        return TrustReason.BAD_SIGNATURE
    if code in _NO_ISSUER:
        return (
            TrustReason.INCOMPLETE
            if certificate is not None and _names_its_issuer(certificate)
            else (TrustReason.UNKNOWN_ISSUER)
        )
    return TrustReason.CONSTRAINT


def _names_its_issuer(certificate: x509.Certificate) -> bool:
    """True when the certificate says where its issuer's certificate lies (RFC 5280 section 4.2.2.1).

    Public CAs always do, so a missing issuer then means that the server left it out; a private CA seldom does.
    """
    if certificate.issuer == certificate.subject:
        return False
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except NO_USABLE_EXTENSION:
        return False
    return any(entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS for entry in access)


def _detail(message: str, certificate: x509.Certificate | None) -> str:
    if certificate is None:
        return message
    return f"{message}: {_name(certificate.subject)}, issued by {_name(certificate.issuer)}"


def _name(name: x509.Name) -> str:
    try:
        return name.rfc4514_string()[:160] or "(empty name)"
    except ValueError:
        return "(unreadable name)"
