"""Certificates made to order: roots, intermediates and leaves with every oddity a test asks for.

Nothing here checks anything: expired, weak and contradictory certificates are the point. EC keys are the default
because they are made in well under a millisecond.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

SERVER_AUTH = (ExtendedKeyUsageOID.SERVER_AUTH,)


def ec_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key; 1024 and more. Slow from 4096 on."""
    return rsa.generate_private_key(65537, bits)


def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """An Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


def name(common_name: str) -> x509.Name:
    """A distinguished name of one CN, or of none for the empty text."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


@dataclass(frozen=True, slots=True)
class Options:
    """What a certificate is made of. `not_before` defaults to an hour before now, `lifetime` to 90 days."""

    names: tuple[str, ...] = ()
    common_name: str | None = None
    key: Key | None = None
    not_before: datetime | None = None
    lifetime: timedelta = timedelta(days=90)
    ca: bool = False
    path_length: int | None = None
    basic_constraints: bool = True
    key_identifiers: bool = True
    key_usage: bool = True
    eku: tuple[x509.ObjectIdentifier, ...] | None = SERVER_AUTH
    ocsp_url: str | None = None
    crl_url: str | None = None
    ca_issuers_url: str | None = None
    must_staple: bool = False
    serial: int | None = None
    hash: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 = field(default_factory=hashes.SHA256)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key and the certificates above it (`issuers`, nearest first, the root last)."""

    certificate: x509.Certificate
    key: Key
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """As a good server serves it: leaf first, intermediates, no root."""
        return (self.certificate, *self.issuers[:-1])

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        """`chain` in DER."""
        return tuple(one.public_bytes(Encoding.DER) for one in self.chain)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS #8, not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def chain_pem(self, chain: Sequence[x509.Certificate] | None = None) -> bytes:
        """`chain` (or another one) in PEM."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in (self.chain if chain is None else chain))

    def load_into(self, context: ssl.SSLContext, folder: Path) -> None:
        """Gives chain and key to a server context, by way of one file in `folder`."""
        path = folder / f"{self.certificate.serial_number:x}.pem"
        path.write_bytes(self.key_pem + self.chain_pem())
        context.load_cert_chain(path)


def issue(options: Options, issuer: Issued | None = None) -> Issued:
    """A certificate signed by `issuer`, or by itself."""
    key = options.key or ec_key()
    signer = key if issuer is None else issuer.key
    builder = _builder(options, key, issuer)
    for extension, critical in _extensions(options, key, issuer):
        builder = builder.add_extension(extension, critical)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else options.hash
    certificate = builder.sign(signer, algorithm)
    return Issued(certificate, key, () if issuer is None else (issuer.certificate, *issuer.issuers))


def _builder(options: Options, key: Key, issuer: Issued | None) -> x509.CertificateBuilder:
    begins = options.not_before or datetime.now(UTC) - timedelta(hours=1)
    common_name = options.common_name if options.common_name is not None else (options.names or ("",))[0][:64]
    subject = name(common_name)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(options.serial or x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + options.lifetime)
    )


def _extensions(options: Options, key: Key, issuer: Issued | None) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if options.basic_constraints:
        found.append((x509.BasicConstraints(options.ca, options.path_length if options.ca else None), True))
    if options.names:
        found.append((x509.SubjectAlternativeName([_general_name(one) for one in options.names]), False))
    if options.key_identifiers:
        found.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        above = (issuer.key if issuer else key).public_key()
        found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False))
    if options.key_usage:
        found.append((_usage(ca=options.ca), True))
    if options.eku and not options.ca:
        found.append((x509.ExtendedKeyUsage(options.eku), False))
    return [*found, *_pointers(options), *options.extensions]


def _pointers(options: Options) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in (
            (AuthorityInformationAccessOID.OCSP, options.ocsp_url),
            (AuthorityInformationAccessOID.CA_ISSUERS, options.ca_issuers_url),
        )
        if url
    ]
    if access:
        found.append((x509.AuthorityInformationAccess(access), False))
    if options.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(options.crl_url)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if options.must_staple:
        found.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
    return found


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class Authority:
    """A root and one intermediate below it, both valid for ten years around now (or around `not_before`)."""

    root: Issued
    intermediate: Issued

    @classmethod
    def create(cls, label: str = "Test", *, key: Key | None = None, not_before: datetime | None = None) -> Authority:
        """A new pair of CA certificates; `key` is the root's."""
        begins = not_before or datetime.now(UTC) - timedelta(days=3650 // 2)
        years = timedelta(days=3650)
        root = issue(Options(common_name=f"{label} Root", key=key, not_before=begins, lifetime=years, ca=True))
        below = Options(common_name=f"{label} CA", not_before=begins, lifetime=years, ca=True, path_length=0)
        return cls(root, issue(below, root))

    def leaf(self, *names: str, options: Options | None = None) -> Issued:
        """A leaf for these names below the intermediate; `options` for all the rest."""
        given = options or Options()
        return issue(_with_names(given, names), self.intermediate)


def _with_names(options: Options, names: tuple[str, ...]) -> Options:
    return replace(options, names=names or options.names)


def expiring(*names: str, in_: timedelta, issuer: Issued | None = None, lifetime: timedelta | None = None) -> Issued:
    """A leaf that stops being valid `in_` from now (negative: it already has)."""
    whole = lifetime or timedelta(days=90)
    begins = datetime.now(UTC).replace(microsecond=0) + in_ - whole
    return issue(Options(names=names, not_before=begins, lifetime=whole), issuer)


def ocsp_response(
    leaf: Issued,
    issuer: Issued,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    responder: Issued | None = None,
    this_update: datetime | None = None,
    valid_for: timedelta | None = timedelta(days=4),
) -> bytes:
    """A signed OCSP response (DER); `responder` None = signed by the issuer, else delegated and enclosed."""
    begins = this_update or datetime.now(UTC) - timedelta(hours=1)
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    signer = responder or issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),  # what responders use for the certificate id (RFC 6960 appendix)
        cert_status=status,
        this_update=begins,
        next_update=None if valid_for is None else begins + valid_for,
        revocation_time=begins - timedelta(days=1) if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    if responder is not None:
        builder = builder.certificates([responder.certificate])
    algorithm = None if isinstance(signer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer.key, algorithm).public_bytes(Encoding.DER)


def ocsp_responder(issuer: Issued, *, eku: tuple[x509.ObjectIdentifier, ...] | None = None) -> Issued:
    """A delegated responder of `issuer` (RFC 6960 section 4.2.2.2), or one without the right purpose."""
    purposes = (ExtendedKeyUsageOID.OCSP_SIGNING,) if eku is None else eku
    return issue(Options(common_name="Test OCSP", eku=purposes, extensions=((x509.OCSPNoCheck(), False),)), issuer)
