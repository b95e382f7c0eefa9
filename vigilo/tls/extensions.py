"""Extensions of a certificate to facts (RFC 5280 section 4.2). Pure; raises ValueError for what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from vigilo.events.facts import Validation

LIST_MAX = 10  # URLs, purposes and policies kept of a certificate
_IDENTIFIER_MAX = 64  # octets

X = TypeVar("X", bound=x509.ExtensionType)

# CA/B Forum, reserved certificate policy identifiers (Baseline Requirements 7.1.6.1). The strictest claim counts.
_VALIDATIONS = (
    ("2.23.140.1.1", Validation.EXTENDED),
    ("2.23.140.1.2.2", Validation.ORGANISATION),
    ("2.23.140.1.2.3", Validation.INDIVIDUAL),
    ("2.23.140.1.2.1", Validation.DOMAIN),
)
_USAGES = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)


def extension(extensions: x509.Extensions, kind: type[X]) -> X | None:
    """The extension of that kind, or None."""
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def more_facts(extensions: x509.Extensions) -> dict[str, Any]:
    """The fields of CertificateFacts that only speak of a certificate's place in a chain."""
    policies = _policies(extension(extensions, x509.CertificatePolicies))
    basic = extension(extensions, x509.BasicConstraints)
    return {
        "ski_hex": _subject_key(extensions),
        "aki_hex": _authority_key(extensions),
        "path_length": None if basic is None else basic.path_length,
        "key_usage": _key_usage(extension(extensions, x509.KeyUsage)),
        "name_constraints": extension(extensions, x509.NameConstraints) is not None,
        "ct_poison": extension(extensions, x509.PrecertPoison) is not None,
        "policies": policies[:LIST_MAX],
        "validation": next((kind for oid, kind in _VALIDATIONS if oid in policies), None),
    }


def ocsp_urls(extensions: x509.Extensions) -> list[str]:
    """Where OCSP responders are said to be."""
    return _access(extensions, AuthorityInformationAccessOID.OCSP)


def ca_issuer_urls(extensions: x509.Extensions) -> list[str]:
    """Where the issuer's certificate is said to be."""
    return _access(extensions, AuthorityInformationAccessOID.CA_ISSUERS)


def crl_urls(extensions: x509.Extensions) -> list[str]:
    """Where revocation lists are said to be."""
    points = extension(extensions, x509.CRLDistributionPoints)
    return _urls(name for point in points or () for name in point.full_name or ())


def _access(extensions: x509.Extensions, method: x509.ObjectIdentifier) -> list[str]:
    access = extension(extensions, x509.AuthorityInformationAccess)
    return _urls(one.access_location for one in access or () if one.access_method == method)


def _urls(names: Iterable[x509.GeneralName]) -> list[str]:
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)][:LIST_MAX]


def _subject_key(extensions: x509.Extensions) -> str | None:
    found = extension(extensions, x509.SubjectKeyIdentifier)
    return None if found is None else found.digest[:_IDENTIFIER_MAX].hex()


def _authority_key(extensions: x509.Extensions) -> str | None:
    found = extension(extensions, x509.AuthorityKeyIdentifier)
    identifier = None if found is None else found.key_identifier
    return None if identifier is None else identifier[:_IDENTIFIER_MAX].hex()


def _key_usage(usage: x509.KeyUsage | None) -> tuple[str, ...] | None:
    if usage is None:
        return None
    names = [name for attribute, name in _USAGES if getattr(usage, attribute)]
    if usage.key_agreement:  # the two others have a meaning only beside it
        names += ["encipherOnly"] if usage.encipher_only else []
        names += ["decipherOnly"] if usage.decipher_only else []
    return tuple(names)


def _policies(policies: x509.CertificatePolicies | None) -> tuple[str, ...]:
    return () if policies is None else tuple(one.policy_identifier.dotted_string for one in policies)
