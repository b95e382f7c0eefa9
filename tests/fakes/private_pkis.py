"""Twelve private PKIs as the usual tools make them: what each puts into its certificates, and leaves out.

Two are really made by the openssl program; the others follow what the tools write (easy-rsa 3, Vault's PKI engine,
Active Directory Certificate Services, step-ca, mkcert).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.certificate_parts import (
    CA_USAGE,
    NO_CA,
    YEAR,
    Extension,
    aki,
    alternative_names,
    ca_flag,
    issuer_at,
    key_usage,
    purposes,
    sign,
    ski,
)
from tests.fakes.pki import Issued, Key, ec_key, ed25519_key, rsa_key

HOST = "db.acme.test"

_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
_DER_NULL = b"\x05\x00"


@dataclass(frozen=True, slots=True)
class PrivatePki:
    """`chain` is leaf first as served, `anchors` what its users trust, `impostor` a CA of the same name, other key."""

    chain: tuple[x509.Certificate, ...]
    anchors: tuple[x509.Certificate, ...]
    impostor: x509.Certificate


def _tier(root: Callable[[], Issued], below: Callable[[Issued], tuple[Issued, ...]]) -> PrivatePki:
    """A PKI of that root; `below` gives what is served, leaf first."""
    real = root()
    return PrivatePki(tuple(one.certificate for one in below(real)), (real.certificate,), root().certificate)


def easy_rsa(_: Path) -> PrivatePki:
    """One tier; AKI with the issuer's name and serial number besides its key."""

    def root() -> Issued:
        key = rsa_key()
        return sign("CN=Easy-RSA CA", (ca_flag(critical=False), ski(key), aki(key), CA_USAGE), key=key)

    def leaf(ca: Issued) -> tuple[Issued, ...]:
        key = rsa_key()
        serial = ca.certificate.serial_number
        whole = x509.AuthorityKeyIdentifier(
            x509.SubjectKeyIdentifier.from_public_key(ca.key.public_key()).digest,
            [x509.DirectoryName(ca.certificate.subject)],
            serial,
        )
        use = key_usage("digital_signature", "key_encipherment", critical=False)
        given = (NO_CA, ski(key), (whole, False), purposes(_SERVER), use, alternative_names(HOST))
        return (sign(f"CN={HOST}", given, ca, key=key, lifetime=timedelta(days=825)),)

    return _tier(root, leaf)


def vault(_: Path) -> PrivatePki:
    """Two tiers; the leaf says where its issuer lies; CAs have alternative names."""

    def root() -> Issued:
        key = rsa_key()
        return sign("CN=acme.test", (CA_USAGE, ca_flag(), ski(key), aki(key), alternative_names("acme.test")), key=key)

    def below(ca: Issued) -> tuple[Issued, ...]:
        middle_key, key = rsa_key(), rsa_key()
        middle = (CA_USAGE, ca_flag(), ski(middle_key), aki(ca.key))
        issuing = sign("CN=acme.test Intermediate Authority", middle, ca, key=middle_key, lifetime=timedelta(days=20))
        use = key_usage("digital_signature", "key_encipherment", "key_agreement")
        where = issuer_at("http://vault.acme.test:8200/v1/pki_int/ca")
        given = (use, purposes(_SERVER, _CLIENT), ski(key), aki(issuing.key), where, alternative_names(HOST))
        return sign(f"CN={HOST}", given, issuing, key=key, lifetime=timedelta(days=32)), issuing

    return _tier(root, below)


def ad_cs(_: Path) -> PrivatePki:
    """Two tiers; CA version, template, application policies; a UPN among the names; no SKI in the leaf, LDAP URLs."""

    def private(number: str, der: bytes) -> Extension:
        return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.3.6.1.4.1.311.{number}"), der), False

    def root() -> Issued:
        key = rsa_key()
        use = key_usage("digital_signature", "key_cert_sign", "crl_sign", critical=False)
        return sign(
            "CN=acme-DC1-CA,DC=acme,DC=test", (use, ca_flag(), ski(key), private("21.1", b"\x02\x01\x00")), key=key
        )

    def below(ca: Issued) -> tuple[Issued, ...]:
        middle_key = rsa_key()
        where = issuer_at("ldap:///CN=acme-DC1-CA,CN=AIA,DC=acme,DC=test?cACertificate?base")
        use = key_usage("digital_signature", "key_cert_sign", "crl_sign", critical=False)
        middle = (
            use,
            ca_flag(),
            ski(middle_key),
            aki(ca.key),
            private("20.2", b"\x1e\x0a\0S\0u\0b\0C\0A"),
            where,
        )
        issuing = sign("CN=acme-ISSUE1-CA,DC=acme,DC=test", middle, ca, key=middle_key, lifetime=timedelta(days=20))
        upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x0cdb@acme.test")
        leaf_use = key_usage("digital_signature", "key_encipherment")
        template = x509.MSCertificateTemplate(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.8.1.2"), 100, 4), False
        policies = private("21.10", b"\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01")
        given = (template, policies, purposes(_SERVER), leaf_use, aki(issuing.key), where)
        return sign(
            "CN=DB,DC=acme,DC=test", (*given, alternative_names(HOST, others=(upn,))), issuing, lifetime=2 * YEAR
        ), issuing

    return _tier(root, below)


def step_ca(_: Path) -> PrivatePki:
    """Two tiers of P-256 with path lengths; a leaf that outlives neither, with the provisioner in an extension."""

    def root() -> Issued:
        key = ec_key()
        return sign("CN=Acme Root CA,O=Acme", (CA_USAGE, ca_flag(1), ski(key)), key=key)

    def below(ca: Issued) -> tuple[Issued, ...]:
        middle_key, key = ec_key(), ec_key()
        middle = (CA_USAGE, ca_flag(0), ski(middle_key), aki(ca.key))
        issuing = sign("CN=Acme Intermediate CA,O=Acme", middle, ca, key=middle_key, lifetime=timedelta(days=20))
        provisioner = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.37476.9000.64.1"), _DER_NULL)
        given = (
            key_usage("digital_signature"),
            purposes(_SERVER, _CLIENT),
            ski(key),
            aki(issuing.key),
            alternative_names(HOST),
        )
        leaf = sign(f"CN={HOST}", (*given, (provisioner, False)), issuing, key=key, lifetime=timedelta(days=30))
        return leaf, issuing

    return _tier(root, below)


def mkcert(_: Path) -> PrivatePki:
    """One tier; the leaf has no common name, no SKI, no basic constraints; a wildcard and an address."""
    unit = "OU=ada@laptop (Ada)"

    def root() -> Issued:
        key = rsa_key(3072)
        return sign(
            f"CN=mkcert ada@laptop (Ada),{unit},O=mkcert development CA",
            (key_usage("key_cert_sign"), ca_flag(0), ski(key)),
            key=key,
        )

    def leaf(ca: Issued) -> tuple[Issued, ...]:
        use = key_usage("digital_signature", "key_encipherment")
        names = alternative_names(HOST, "*.acme.test", others=(x509.IPAddress(ip_address("127.0.0.1")),))
        given = (use, purposes(_SERVER), aki(ca.key), names)
        subject = f"{unit},O=mkcert development certificate"
        return (sign(subject, given, ca, key=rsa_key(), lifetime=timedelta(days=820)),)

    return _tier(root, leaf)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def openssl_self_signed(folder: Path) -> PrivatePki:
    """`openssl req -x509` as in a thousand guides, pinned by its users: the leaf is its own CA."""
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj", f"/CN={HOST}")
    for name in ("own", "other"):
        _openssl(
            folder, *request, "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", f"{name}.key", "-out", f"{name}.pem"
        )
    own = _read(folder / "own.pem")
    return PrivatePki((own,), (own,), _read(folder / "other.pem"))


def version_1_root(folder: Path) -> PrivatePki:
    """A root without any extension, by `openssl x509 -req`, and a leaf below it."""
    for name in ("v1", "v1other", "leaf"):
        subject = f"/CN={HOST}" if name == "leaf" else "/O=Acme/CN=Old Root"
        new_key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key")
        _openssl(folder, "req", "-new", *new_key, "-subj", subject, "-out", f"{name}.csr")
    for name in ("v1", "v1other"):
        own = ("-signkey", f"{name}.key", "-days", "3650", "-out", f"{name}.pem")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *own)
    (folder / "leaf.ext").write_text(f"subjectAltName=DNS:{HOST}\nextendedKeyUsage=serverAuth\n")
    signed = ("-CA", "v1.pem", "-CAkey", "v1.key", "-CAcreateserial", "-extfile", "leaf.ext", "-days", "365")
    _openssl(folder, "x509", "-req", "-in", "leaf.csr", *signed, "-out", "leaf.pem")
    return PrivatePki((_read(folder / "leaf.pem"),), (_read(folder / "v1.pem"),), _read(folder / "v1other.pem"))


def ed25519_ca(_: Path) -> PrivatePki:
    """Two tiers of Ed25519, which the public web does not know."""
    return _plain(ed25519_key, ed25519_key())


def without_key_identifiers(_: Path) -> PrivatePki:
    """Neither AKI nor SKI anywhere."""
    return _plain(ec_key, ec_key(), identifiers=False)


def p384_over_rsa(_: Path) -> PrivatePki:
    """A P-384 root and intermediate, an RSA leaf."""
    return _plain(lambda: ec.generate_private_key(ec.SECP384R1()), rsa_key())


def ca_without_key_usage(_: Path) -> PrivatePki:
    """CAs that say they are CAs and nothing else; a leaf with a subjectAltName and nothing else."""
    return _plain(ec_key, ec_key(), usage=False)


def long_lived_wildcard(_: Path) -> PrivatePki:
    """A wildcard for ten years; its users trust the intermediate alone."""
    pki = _plain(ec_key, ec_key(), names=("*.acme.test",), lifetime=10 * YEAR)
    return PrivatePki(pki.chain[:1], pki.chain[1:], pki.impostor)


def _plain(
    ca_key: Callable[[], Key],
    leaf_key: Key,
    *,
    identifiers: bool = True,
    usage: bool = True,
    names: tuple[str, ...] = (HOST,),
    lifetime: timedelta = YEAR,
) -> PrivatePki:
    def ca(subject: str, issuer: Issued | None, lasts: timedelta) -> Issued:
        key = ca_key()
        above = issuer.key if issuer else key
        given = (ca_flag(), *((CA_USAGE,) if usage else ()), *((ski(key), aki(above)) if identifiers else ()))
        return sign(subject, given, issuer, key=key, lifetime=lasts)

    def root() -> Issued:
        return ca("CN=Acme Root", None, 10 * YEAR)

    def below(top: Issued) -> tuple[Issued, ...]:
        issuing = ca("CN=Acme Issuing", top, timedelta(days=20))
        use = (key_usage("digital_signature"), purposes(_SERVER)) if usage else ()
        own = (ski(leaf_key), aki(issuing.key)) if identifiers else ()
        return sign(
            f"CN={HOST}", (*use, *own, alternative_names(*names)), issuing, key=leaf_key, lifetime=lifetime
        ), issuing

    return _tier(root, below)


PKIS: Mapping[str, Callable[[Path], PrivatePki]] = {
    make.__name__: make
    for make in (
        easy_rsa,
        vault,
        ad_cs,
        step_ca,
        mkcert,
        openssl_self_signed,
        version_1_root,
        ed25519_ca,
        without_key_identifiers,
        p384_over_rsa,
        ca_without_key_usage,
        long_lived_wildcard,
    )
}
