"""DER bytes of a certificate to facts (RFC 5280). Pure; any bytes give facts, never an exception."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from cryptography import x509

from vigilo.events.facts import NAMES_MAX, CertificateFacts
from vigilo.tls import oids
from vigilo.tls.der import CONTEXT_0, INTEGER, SEQUENCE, NotDer, elements, only
from vigilo.tls.extensions import LIST_MAX, ca_issuer_urls, crl_urls, extension, more_facts, ocsp_urls
from vigilo.tls.keys import KeyFacts, describe_key

CERTIFICATE_MAX = 128 * 1024  # bytes; the largest real ones, with thousands of names, stay below
# The same intermediates, and mostly the same leaves, come by at every scan; 8 MiB are kept at most.
REMEMBERED_MAX = 8 * 1024
_SERIAL_MAX = 64  # octets; RFC 5280 allows 20
_SHORT_LIVED_FROM = datetime(2024, 3, 15, tzinfo=UTC)
_SHORTER_FROM = datetime(2026, 3, 15, tzinfo=UTC)

T = TypeVar("T")


def read_certificate(der: bytes) -> CertificateFacts:
    """The facts of one certificate. What cannot be read keeps its default and is named in `parse_error`."""
    return _remembered(der) if len(der) <= REMEMBERED_MAX else _read(der)


@lru_cache(maxsize=1024)
def _remembered(der: bytes) -> CertificateFacts:
    return _read(der)


def _read(der: bytes) -> CertificateFacts:
    fingerprint = hashlib.sha256(der).hexdigest()
    if len(der) > CERTIFICATE_MAX:
        return CertificateFacts(fingerprint_sha256=fingerprint, parse_error=f"larger than {CERTIFICATE_MAX} bytes")
    try:
        certificate = x509.load_der_x509_certificate(der)
    except Exception as error:  # hostile bytes: whatever the parser says, it is about them
        return CertificateFacts(fingerprint_sha256=fingerprint, parse_error=_complaint("certificate", error))
    facts = _Reading(certificate).facts()
    return CertificateFacts.model_validate({"fingerprint_sha256": fingerprint, **facts})


def is_short_lived(certificate: x509.Certificate) -> bool:
    """Valid for at most 7 days, 10 before 15 March 2026; no certificate was before 15 March 2024 (BR 1.6.1)."""
    begins = certificate.not_valid_before_utc
    # "Both ends count" (RFC 5280 section 4.1.2.5): a second more than the difference.
    lasts = certificate.not_valid_after_utc - begins + timedelta(seconds=1)
    return begins >= _SHORT_LIVED_FROM and lasts <= timedelta(days=10 if begins < _SHORTER_FROM else 7)


def certificate_names(certificate: x509.Certificate) -> tuple[list[str], list[str], int]:
    """DNS names and IP addresses of the subjectAltName, uncapped, and how many names of any kind it holds.

    Raises ValueError when the extensions cannot be parsed.
    """
    san = extension(certificate.extensions, x509.SubjectAlternativeName)
    if san is None:
        return [], [], 0
    addresses = [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    return san.get_values_for_type(x509.DNSName), addresses, len(list(san))


def read_names(der: bytes) -> list[str] | None:
    """Every DNS name and IP address of the subjectAltName, uncapped; None when they cannot be read. Raises nothing."""
    try:
        dns, addresses, _ = certificate_names(x509.load_der_x509_certificate(der))
    except Exception:  # hostile bytes: whatever the parser says, it is about them
        return None
    return [*dns, *addresses]


@dataclass(slots=True)
class _Outline:
    """The parts of a TBSCertificate that the parser does not hand out as they were sent."""

    serial: bytes
    spki: bytes


def _outline(tbs: bytes) -> _Outline:
    fields = list(elements(only(tbs, SEQUENCE).content))
    if fields and fields[0].tag == CONTEXT_0:  # version; absent in version 1
        fields = fields[1:]
    if len(fields) < 6 or fields[0].tag != INTEGER:
        raise NotDer("a TBSCertificate without serial or key")
    return _Outline(serial=fields[0].content[:_SERIAL_MAX], spki=fields[5].whole)


class _Reading:
    """Reads part by part, so that one part no parser takes does not hide the others."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._certificate = certificate
        self._errors: list[str] = []

    def facts(self) -> dict[str, Any]:
        certificate = self._certificate
        outline = self._try("outline", lambda: _outline(certificate.tbs_certificate_bytes), None)
        nothing: dict[str, Any] = {}
        facts = {
            "subject": self._try("subject", lambda: _text_of(certificate.subject), ""),
            "issuer": self._try("issuer", lambda: _text_of(certificate.issuer), ""),
            "not_before": self._try("not_before", lambda: certificate.not_valid_before_utc, None),
            "not_after": self._try("not_after", lambda: certificate.not_valid_after_utc, None),
            "version": self._try("version", lambda: certificate.version.value + 1, None),
            "short_lived": self._try("validity", lambda: is_short_lived(certificate), None),
            "signature_algorithm": self._try("signature", self._signature_algorithm, ""),
            "self_issued": self._try("names", lambda: certificate.issuer == certificate.subject, False),
            **(self._outlined(outline) if outline is not None else {}),
            **self._try("extensions", self._extended, nothing),
        }
        return {**facts, "parse_error": "; ".join(self._errors) or None}

    def _try(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Exception as error:  # hostile bytes again
            self._errors.append(_complaint(what, error))
            return otherwise

    def _signature_algorithm(self) -> str:
        dotted = self._certificate.signature_algorithm_oid.dotted_string
        name = oids.SIGNATURE_ALGORITHMS.get(dotted, dotted)
        digest = self._certificate.signature_hash_algorithm if name == "RSASSA-PSS" else None
        return name if digest is None else f"{name} with {digest.name}"

    def _outlined(self, outline: _Outline) -> dict[str, Any]:
        key = self._try("key", lambda: describe_key(outline.spki), KeyFacts())
        return {
            "serial_hex": outline.serial.hex(),
            "spki_sha256": hashlib.sha256(outline.spki).hexdigest(),
            "key_algorithm": key.algorithm,
            "key_bits": key.bits,
            "key_detail": key.detail,
            "weak_key": key.weak,
        }

    def _extended(self) -> dict[str, Any]:
        extensions = self._certificate.extensions
        unnamed: tuple[list[str], list[str], int] = ([], [], 0)
        dns, addresses, count = self._try("san", lambda: certificate_names(self._certificate), unnamed)
        dns = dns[:NAMES_MAX]
        no_more: dict[str, Any] = {}
        basic = extension(extensions, x509.BasicConstraints)
        feature = extension(extensions, x509.TLSFeature)
        scts = extension(extensions, x509.PrecertificateSignedCertificateTimestamps)
        return {
            "san": dns,
            "san_ip": addresses[: NAMES_MAX - len(dns)],
            "san_count": count,
            "is_ca": basic is not None and basic.ca,
            "eku": _purposes(extension(extensions, x509.ExtendedKeyUsage)),
            "ocsp_urls": ocsp_urls(extensions),
            "ca_issuer_urls": ca_issuer_urls(extensions),
            "crl_urls": crl_urls(extensions),
            "must_staple": feature is not None and x509.TLSFeatureType.status_request in feature,
            "sct_count": self._try("sct", lambda: 0 if scts is None else len(list(scts)), 0),
            **self._try("more extensions", lambda: more_facts(extensions), no_more),
        }


def _text_of(name: x509.Name) -> str:
    return name.rfc4514_string()


def _purposes(eku: x509.ExtendedKeyUsage | None) -> list[str]:
    dotted = [] if eku is None else [purpose.dotted_string for purpose in eku]
    return [oids.EXTENDED_KEY_USAGES.get(purpose, purpose) for purpose in dotted[:LIST_MAX]]


def _complaint(what: str, error: Exception) -> str:
    return f"{what}: {str(error) or type(error).__name__}"[:200]
