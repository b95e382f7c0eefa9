"""May the certificates of a path be used for TLS servers? What OpenSSL asks under the purpose sslserver, and therefore
every client built on it. RFC 5280 sections 4.2.1.3 and 4.2.1.12; X509_check_purpose(3).
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

# What cryptography raises for an extension that is absent or that it cannot decode. Not all are ValueErrors.
NO_USABLE_EXTENSION = (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError)


def purpose_objection(path: Sequence[x509.Certificate]) -> tuple[int, str] | None:
    """Depth and words for the first certificate (leaf first) that says it is not for TLS servers; None when all may.

    A certificate that names no purpose is good for all. anyExtendedKeyUsage alone is not enough, as for OpenSSL.
    """
    for depth, certificate in enumerate(path):
        if not _purpose_allows(certificate):
            return depth, "extendedKeyUsage does not have serverAuth"
    return None if _usage_allows(path[0]) else (0, "keyUsage allows neither signatures nor key exchange")


def _purpose_allows(certificate: x509.Certificate) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except NO_USABLE_EXTENSION:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in purposes


def _usage_allows(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except NO_USABLE_EXTENSION:
        return True
    return usage.digital_signature or usage.key_encipherment or usage.key_agreement
