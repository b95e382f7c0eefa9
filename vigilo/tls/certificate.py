"""DER bytes of a certificate to facts (RFC 5280). Pure; any bytes give facts, never an exception."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from vigilo.events.facts import NAMES_MAX, CertificateFacts
from vigilo.tls import oids
from vigilo.tls.der import CONTEXT_0, INTEGER, SEQUENCE, NotDer, elements, only
from vigilo.tls.keys import KeyFacts, describe_key

CERTIFICATE_MAX = 128 * 1024  # bytes; the largest real ones, with thousands of names, stay below
# The same intermediates, and mostly the same leaves, come by at every scan; 8 MiB are kept at most.
_REMEMBERED_MAX = 8 * 1024
_LIST_MAX = 10  # URLs and purposes kept of a certificate
_SERIAL_MAX = 64  # octets; RFC 5280 allows 20

T = TypeVar("T")
X = TypeVar("X", bound=x509.ExtensionType)


def read_certificate(der: bytes) -> CertificateFacts:
    """The facts of one certificate. What cannot be read keeps its default and is named in `parse_error`."""
    return _remembered(der) if len(der) <= _REMEMBERED_MAX else _read(der)


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


def certificate_names(certificate: x509.Certificate) -> tuple[list[str], list[str], int]:
    """DNS names and IP addresses of the subjectAltName, uncapped, and how many names of any kind it holds.

    Raises ValueError when the extensions cannot be parsed.
    """
    san = _extension(certificate.extensions, x509.SubjectAlternativeName)
    if san is None:
        return [], [], 0
    addresses = [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    return san.get_values_for_type(x509.DNSName), addresses, len(list(san))


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
        }

    def _extended(self) -> dict[str, Any]:
        extensions = self._certificate.extensions
        unnamed: tuple[list[str], list[str], int] = ([], [], 0)
        dns, addresses, count = self._try("san", lambda: certificate_names(self._certificate), unnamed)
        dns = dns[:NAMES_MAX]
        basic = _extension(extensions, x509.BasicConstraints)
        feature = _extension(extensions, x509.TLSFeature)
        scts = _extension(extensions, x509.PrecertificateSignedCertificateTimestamps)
        return {
            "san": dns,
            "san_ip": addresses[: NAMES_MAX - len(dns)],
            "san_count": count,
            "is_ca": basic is not None and basic.ca,
            "eku": _purposes(_extension(extensions, x509.ExtendedKeyUsage)),
            "ocsp_urls": _ocsp_urls(_extension(extensions, x509.AuthorityInformationAccess)),
            "crl_urls": _crl_urls(_extension(extensions, x509.CRLDistributionPoints)),
            "must_staple": feature is not None and x509.TLSFeatureType.status_request in feature,
            "sct_count": self._try("sct", lambda: 0 if scts is None else len(list(scts)), 0),
        }


def _extension(extensions: x509.Extensions, kind: type[X]) -> X | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _text_of(name: x509.Name) -> str:
    return name.rfc4514_string()


def _purposes(eku: x509.ExtendedKeyUsage | None) -> list[str]:
    dotted = [] if eku is None else [purpose.dotted_string for purpose in eku]
    return [oids.EXTENDED_KEY_USAGES.get(purpose, purpose) for purpose in dotted[:_LIST_MAX]]


def _ocsp_urls(access: x509.AuthorityInformationAccess | None) -> list[str]:
    entries = (
        [] if access is None else [one for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    )
    return _urls([entry.access_location for entry in entries])


def _crl_urls(points: x509.CRLDistributionPoints | None) -> list[str]:
    return _urls([name for point in points or () for name in point.full_name or ()])


def _urls(names: list[x509.GeneralName]) -> list[str]:
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)][:_LIST_MAX]


def _complaint(what: str, error: Exception) -> str:
    return f"{what}: {str(error) or type(error).__name__}"[:200]
