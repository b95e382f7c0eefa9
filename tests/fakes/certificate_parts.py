"""The pieces private PKIs are put together from: one certificate with just the extensions that are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.fakes.pki import Issued, Key, ec_key

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
YEAR = timedelta(days=365)
Extension = tuple[x509.ExtensionType, bool]
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def sign(
    subject: str,
    extensions: tuple[Extension, ...],
    issuer: Issued | None = None,
    *,
    key: Key | None = None,
    lifetime: timedelta = 10 * YEAR,
) -> Issued:
    """A certificate by `issuer`, or by itself; valid since two days ago."""
    own = key or ec_key()
    signer = own if issuer is None else issuer.key
    name = x509.Name.from_rfc4514_string(subject)
    builder = x509.CertificateBuilder(
        issuer_name=name if issuer is None else issuer.certificate.subject,
        subject_name=name,
        public_key=own.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=BEGIN,
        not_valid_after=BEGIN + lifetime,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(signer, algorithm), own, () if issuer is None else (issuer.certificate, *issuer.issuers))


def key_usage(*names: str, critical: bool = True) -> Extension:
    """keyUsage with these."""
    return x509.KeyUsage(**{one: one in names for one in _USAGES}), critical


def ca_flag(path_length: int | None = None, *, critical: bool = True) -> Extension:
    """basicConstraints of a CA."""
    return x509.BasicConstraints(ca=True, path_length=path_length), critical


NO_CA = (x509.BasicConstraints(ca=False, path_length=None), False)
CA_USAGE = key_usage("key_cert_sign", "crl_sign")


def purposes(*purposes: x509.ObjectIdentifier) -> Extension:
    """extendedKeyUsage."""
    return x509.ExtendedKeyUsage(purposes), False


def alternative_names(*names: str, others: tuple[x509.GeneralName, ...] = ()) -> Extension:
    """subjectAltName of DNS names, and `others`."""
    return x509.SubjectAlternativeName([*map(x509.DNSName, names), *others]), False


def ski(key: Key) -> Extension:
    """subjectKeyIdentifier of this key."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False


def aki(key: Key) -> Extension:
    """authorityKeyIdentifier of this key."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False


def issuer_at(url: str) -> Extension:
    """authorityInformationAccess: where the issuer's certificate lies."""
    where = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)]
    ), False
