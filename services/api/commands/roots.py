"""What becomes of a workspace's private anchors when somebody adds or removes one. Pure."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from services.api.audit.change import Change
from services.api.models.roots import PEM_MAX, AnchorKind
from services.api.problems import Problem, invalid, not_found
from vigilo.events.rules import WorkspaceSettings
from vigilo.tls.certificate import read_certificate

ROOTS_MAX: Final = 100
# Settings travel as one record of at most 1 MiB.
ROOTS_BYTES_MAX: Final = 512 * 1024


def parse(pem: str) -> x509.Certificate:
    """The one certificate in that text. Raises a 422 problem naming `pem`."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise invalid("pem", "it cannot be read", "one X.509 certificate in PEM form") from None
    return _usable(certificate, "pem")


def from_chain(der: bytes) -> x509.Certificate:
    """A certificate that a host showed. Raises a 422 problem naming `certificate`."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        raise invalid("certificate", "it cannot be read", "a certificate that can be parsed") from None
    return _usable(certificate, "certificate")


def pem_of(certificate: x509.Certificate) -> str:
    """The certificate alone, without text around it."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def fingerprint(pem: str) -> str:
    """SHA-256 of the DER in lower-case hex, of text that `pem_of` made."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()


def kind_of(certificate: x509.Certificate) -> AnchorKind:
    """What an anchor is good for. Without basicConstraints only a version 1 certificate that names itself is a CA."""
    facts = read_certificate(certificate.public_bytes(Encoding.DER))
    is_ca = facts.is_ca if facts.version == 3 else facts.self_issued
    if not is_ca:
        return AnchorKind.PINNED_LEAF
    return AnchorKind.ROOT if facts.self_issued else AnchorKind.INTERMEDIATE


def add(settings: WorkspaceSettings, certificate: x509.Certificate) -> WorkspaceSettings:
    """The next version; the same settings if it is trusted already. Raises a 409 problem beyond the limits."""
    pem = pem_of(certificate)
    if pem in settings.private_roots:
        return settings
    kept = (*settings.private_roots, pem)
    if len(kept) > ROOTS_MAX or sum(map(len, kept)) > ROOTS_BYTES_MAX:
        said = f"A workspace has at most {ROOTS_MAX} certificates of its own, {ROOTS_BYTES_MAX // 1024} KiB together."
        raise Problem(409, "too-many-roots", f"{said} Remove one first.", limit=ROOTS_MAX)
    return _next(settings, kept)


def remove(settings: WorkspaceSettings, sha256: str) -> tuple[WorkspaceSettings, str]:
    """The next version and the PEM that is gone. Raises a 404 problem."""
    gone = next((pem for pem in settings.private_roots if fingerprint(pem) == sha256), None)
    if gone is None:
        raise not_found("root")
    return _next(settings, tuple(pem for pem in settings.private_roots if pem != gone)), gone


def told(verb: str, pem: str) -> Change:
    """What the audit log says: which certificate, by fingerprint and subject."""
    facts = read_certificate(x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER))
    said = {"sha256": facts.fingerprint_sha256, "subject": str(facts.subject)}
    subject = f"root:{facts.fingerprint_sha256}"
    return Change(f"root.{verb}", subject, said if verb == "delete" else None, None if verb == "delete" else said)


def _usable(certificate: x509.Certificate, field: str) -> x509.Certificate:
    if len(pem_of(certificate)) > PEM_MAX:
        raise invalid(field, "it is too long", f"at most {PEM_MAX} characters of PEM")
    facts = read_certificate(certificate.public_bytes(Encoding.DER))
    if facts.parse_error is not None:
        raise invalid(field, f"it cannot be read: {facts.parse_error}", "a certificate that can be parsed")
    return certificate


def _next(settings: WorkspaceSettings, roots: tuple[str, ...]) -> WorkspaceSettings:
    return settings.model_copy(update={"private_roots": roots, "version": settings.version + 1})
