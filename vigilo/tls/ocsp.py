"""A stapled OCSP response to facts (RFC 6960, RFC 6066 section 8). Pure; any bytes give facts, never an exception."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from vigilo.events.facts import CertificateStatus, StapleFacts
from vigilo.tls.der import BIT_STRING, SEQUENCE, elements, only
from vigilo.tls.pss import read_pss

STAPLE_MAX = 64 * 1024  # bytes; a response with a delegated responder's certificate is about 2 KiB

_STATUS = {
    ocsp.OCSPCertStatus.GOOD: CertificateStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: CertificateStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: CertificateStatus.UNKNOWN,
}
_RESPONSE_STATUS = {
    ocsp.OCSPResponseStatus.SUCCESSFUL: "successful",
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST: "malformed-request",
    ocsp.OCSPResponseStatus.INTERNAL_ERROR: "internal-error",
    ocsp.OCSPResponseStatus.TRY_LATER: "try-later",
    ocsp.OCSPResponseStatus.SIG_REQUIRED: "sig-required",
    ocsp.OCSPResponseStatus.UNAUTHORIZED: "unauthorized",
}

NOT_STAPLED = StapleFacts(present=False)


def read_staple(response_der: bytes, chain: Sequence[bytes]) -> StapleFacts:
    """The facts of a stapled response; `chain` (DER, leaf first, as served) tells leaf and issuer."""
    if len(response_der) > STAPLE_MAX:
        return StapleFacts(present=True, parse_error=f"larger than {STAPLE_MAX} bytes")
    try:
        response = ocsp.load_der_ocsp_response(response_der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return StapleFacts(present=True, response_status=_RESPONSE_STATUS[response.response_status])
        return _successful(response, chain)
    except Exception as error:  # hostile bytes: whatever the parser says, it is about them
        return StapleFacts(present=True, parse_error=(str(error) or type(error).__name__)[:200])


def _successful(response: ocsp.OCSPResponse, chain: Sequence[bytes]) -> StapleFacts:
    leaf = x509.load_der_x509_certificate(chain[0]) if chain else None
    issuer = None if leaf is None else _issuer_of(leaf, chain)
    answers = list(response.responses)
    if not answers:
        return StapleFacts(present=True, response_status="successful", parse_error="a response without an answer")
    about_leaf = next((one for one in answers if leaf is not None and _is_about(one, leaf, issuer)), None)
    answer = about_leaf or answers[0]
    return StapleFacts(
        present=True,
        response_status="successful",
        certificate_status=_STATUS[answer.certificate_status],
        matches_leaf=None if leaf is None else about_leaf is not None,
        signature_valid=None if issuer is None else _signed(response, issuer),
        produced_at=response.produced_at_utc,
        this_update=answer.this_update_utc,
        next_update=answer.next_update_utc,
        revoked_at=answer.revocation_time_utc,
    )


def _issuer_of(leaf: x509.Certificate, chain: Sequence[bytes]) -> x509.Certificate | None:
    """The served certificate whose name and key signed the leaf; servers do not always send them in order."""
    for der in chain[:32]:
        try:
            candidate = x509.load_der_x509_certificate(der)
        except ValueError:
            continue
        if candidate.subject == leaf.issuer and _issued(candidate, leaf):
            return candidate
    return None


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_about(answer: ocsp.OCSPSingleResponse, leaf: x509.Certificate, issuer: x509.Certificate | None) -> bool:
    """Same serial, and same issuer as far as it is known (RFC 6960 section 4.1.1, CertID)."""
    if answer.serial_number != leaf.serial_number:
        return False
    if _digest(answer.hash_algorithm, leaf.issuer.public_bytes()) != answer.issuer_name_hash:
        return False
    return issuer is None or _key_digest(answer.hash_algorithm, issuer) == answer.issuer_key_hash


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _key_digest(algorithm: hashes.HashAlgorithm, certificate: x509.Certificate) -> bytes:
    """The hash of the key's bits, without algorithm and tag (RFC 6960 section 4.1.1)."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _, key = list(elements(only(spki, SEQUENCE).content))
    if key.tag != BIT_STRING:
        raise ValueError("a key that is no bit string")
    return _digest(algorithm, key.content[1:])


def _signed(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    """By the issuer itself, or by a responder the issuer delegated to (RFC 6960 section 4.2.2.2)."""
    return any(_verifies(signer, response) for signer in _signers(response, issuer))


def _signers(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    yield issuer
    for certificate in response.certificates[:4]:
        if _may_respond(certificate, at=response.produced_at_utc) and _issued(issuer, certificate):
            yield certificate


def _may_respond(certificate: x509.Certificate, *, at: datetime) -> bool:
    """The purpose OCSPSigning, and valid when the response was made: no clock of ours is involved."""
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    inside = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    return inside and ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _verifies(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key, signature, signed = signer.public_key(), response.signature, response.tbs_response_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey):
            _verify_rsa(key, response)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_digest_of(response)))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _verify_rsa(key: rsa.RSAPublicKey, response: ocsp.OCSPResponse) -> None:
    if response.signature_algorithm_oid != SignatureAlgorithmOID.RSASSA_PSS:
        key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), _digest_of(response))
        return
    pss = read_pss(_signature_algorithm(response))
    mask = padding.PSS(mgf=padding.MGF1(pss.mask_digest), salt_length=pss.salt_length)
    key.verify(response.signature, response.tbs_response_bytes, mask, pss.digest)


def _digest_of(response: ocsp.OCSPResponse) -> hashes.HashAlgorithm:
    digest = response.signature_hash_algorithm
    if digest is None:
        raise UnsupportedAlgorithm("a signature without a digest")
    return digest


def _signature_algorithm(response: ocsp.OCSPResponse) -> bytes:
    """The AlgorithmIdentifier after the signed part of a BasicOCSPResponse (RFC 6960 section 4.2.1)."""
    _, body = list(elements(only(response.public_bytes(Encoding.DER), SEQUENCE).content))[:2]
    _, octets = list(elements(only(body.content, SEQUENCE).content))[:2]
    return list(elements(only(octets.content, SEQUENCE).content))[1].whole
