"""The certificates of the table, made when asked for: a leaf with its key, and the chain served with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.pki import Authority, Issued, Options, ed25519_key, issue, ocsp_response, rsa_key
from tests.grades.rows import NAME

_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_CRL = "http://crl.test/a.crl"
_OCSP = "http://ocsp.test/"
_ISSUER = "http://ca.test/issuer.der"
_YEARS = timedelta(days=3650)
_LONG = timedelta(days=250)  # more than SC-081v3 allows since March 2026
_SHORT = timedelta(days=45)  # less than it will ever allow
# sha256WithRSAEncryption and its weak sisters differ in the last octet only (RFC 8017 appendix C).
_RSA_SIGNATURE = bytes.fromhex("06092a864886f70d0101")
_WITH = {"sha256": b"\x0b", "sha1": b"\x05", "md5": b"\x04"}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "md5": hashes.MD5()}


@dataclass(frozen=True, slots=True)
class Served:
    """A leaf and the chain that is served, leaf first. `issuer` is who signs its OCSP responses."""

    leaf: Issued
    chain: tuple[x509.Certificate, ...]
    issuer: Issued


class Certificates:
    """Every profile's certificates below one public and one private CA, each made once."""

    def __init__(self) -> None:
        self.public = Authority.create("Public")
        self.private = Authority.create("Private")
        self._made: dict[str, Served] = {}

    def served(self, profile: str, address: str) -> Served:
        """The profile's certificates; only `address` depends on where the server listens."""
        if profile == "address":
            return _plain(self.public, self._options(names=(address,)))
        if profile not in self._made:
            self._made[profile] = PROFILES[profile](self)
        return self._made[profile]

    @cached_property
    def rsa_public(self) -> Authority:
        """A public CA with RSA keys below the same root, for signatures that only RSA can have."""
        below = Options(common_name="Public RSA CA", key=rsa_key(), not_before=_ago(900), lifetime=_YEARS, ca=True)
        return Authority(self.public.root, issue(below, self.public.root))

    @cached_property
    def rsa_root(self) -> Issued:
        """A second public root, with an RSA key."""
        return issue(Options(common_name="Public RSA", key=rsa_key(), not_before=_ago(900), lifetime=_YEARS, ca=True))

    @staticmethod
    def _options(**more: object) -> Options:
        """As public CAs issue today: few days, three timestamps, a CRL, the issuer's address, no OCSP."""
        given: dict[str, object] = {
            "names": (NAME,),
            "crl_url": _CRL,
            "ca_issuers_url": _ISSUER,  # tells an incomplete chain from one of an unknown CA
            "lifetime": _SHORT,
            "extensions": ((_timestamps(), False),),
        }
        return Options(**{**given, **more})  # type: ignore[arg-type]

    def make(self, **more: object) -> Served:
        """A public leaf below the intermediate."""
        return _plain(self.public, self._options(**more))

    def make_private(self, **more: object) -> Served:
        """A private leaf: neither timestamps nor CRL."""
        return _plain(self.private, Options(**{"names": (NAME,), **more}))  # type: ignore[arg-type]

    def below(self, *issuers: Issued, **more: object) -> Served:
        """A public leaf below these, the nearest first; all of them served."""
        leaf = issue(self._options(**more), issuers[0])
        return Served(leaf, (leaf.certificate, *(one.certificate for one in issuers)), issuers[0])

    def intermediate(self, **more: object) -> Issued:
        """Another intermediate below the public root."""
        given: dict[str, object] = {"common_name": "Odd CA", "not_before": _ago(900), "lifetime": _YEARS, "ca": True}
        return issue(Options(**{**given, **more}), self.public.root)  # type: ignore[arg-type]


def staple(kind: str, served: Served) -> bytes:
    """An OCSP response for the leaf: good, expired, revoked, or forged (signed by a stranger of the issuer's name)."""
    stranger = issue(Options(common_name="Public CA", not_before=_ago(900), lifetime=_YEARS, ca=True))
    match kind:
        case "expired":
            return ocsp_response(served.leaf, served.issuer, this_update=_ago(20))
        case "revoked":
            return ocsp_response(served.leaf, served.issuer, status=ocsp.OCSPCertStatus.REVOKED)
        case "forged":
            return ocsp_response(served.leaf, stranger)
    return ocsp_response(served.leaf, served.issuer)


def _ago(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


def _plain(authority: Authority, options: Options) -> Served:
    leaf = issue(options, authority.intermediate)
    return Served(leaf, leaf.chain, authority.intermediate)


@lru_cache(1)
def _timestamps() -> x509.UnrecognizedExtension:
    """Three timestamps of three logs (RFC 6962 section 3.3), their signatures made up: nobody checks them."""
    when = int(datetime.now(UTC).timestamp() * 1000).to_bytes(8, "big")
    listed = b""
    for log in (b"a", b"b", b"c"):
        one = b"\x00" + hashlib.sha256(log).digest() + when + b"\x00\x00" + b"\x04\x03\x00\x08" + bytes(8)
        listed += len(one).to_bytes(2, "big") + one
    whole = len(listed).to_bytes(2, "big") + listed
    return x509.UnrecognizedExtension(_SCT_LIST, b"\x04\x81" + bytes((len(whole),)) + whole)


def _signed_weakly(issued: Issued, issuer: Issued, name: str) -> Issued:
    """The same certificate, signed with another hash: libraries of today refuse to make such signatures."""
    key = cast(rsa.RSAPrivateKey, issuer.key)
    strong, weak = (_RSA_SIGNATURE + _WITH[one] for one in ("sha256", name))
    tbs = issued.certificate.tbs_certificate_bytes
    changed = tbs.replace(strong, weak)
    der = issued.certificate.public_bytes(Encoding.DER).replace(tbs, changed).replace(strong, weak)
    signature = key.sign(changed, padding.PKCS1v15(), _HASHES[name])
    return replace(issued, certificate=x509.load_der_x509_certificate(der[: -len(signature)] + signature))


def _weak_leaf(made: Certificates, name: str) -> Served:
    served = _plain(made.rsa_public, Certificates._options())
    leaf = _signed_weakly(served.leaf, made.rsa_public.intermediate, name)
    return Served(leaf, leaf.chain, served.issuer)


def _weak_intermediate(made: Certificates) -> Served:
    options = Options(common_name="Old CA", not_before=_ago(900), lifetime=_YEARS, ca=True)
    old = _signed_weakly(issue(options, made.rsa_root), made.rsa_root, "sha1")
    return made.below(old)


def _incomplete(made: Certificates) -> Served:
    served = made.make()
    return replace(served, chain=served.chain[:1])


def _wrong_order(made: Certificates) -> Served:
    upper = made.intermediate(common_name="Upper CA")
    lower = issue(Options(common_name="Lower CA", not_before=_ago(900), lifetime=_YEARS, ca=True), upper)
    served = made.below(lower, upper)
    leaf, first, second = served.chain
    return replace(served, chain=(leaf, second, first))


def _with(extra: Callable[[Certificates], x509.Certificate]) -> Callable[[Certificates], Served]:
    def make(made: Certificates) -> Served:
        served = made.make()
        return replace(served, chain=(*served.chain, extra(made)))

    return make


def _self_signed(_: Certificates) -> Served:
    leaf = issue(Options(names=(NAME,)))
    return Served(leaf, (leaf.certificate,), leaf)


def _expired(made: Certificates) -> Served:
    return made.make(not_before=_ago(100))


def _expired_rsa(made: Certificates) -> Served:
    return made.make(not_before=_ago(100), key=rsa_key())


def _unknown_ca(_: Certificates) -> Served:
    return _plain(Authority.create("Unknown"), Options(names=(NAME,)))


def _constrained(made: Certificates) -> Served:
    limits = x509.NameConstraints(permitted_subtrees=[x509.DNSName("other.test")], excluded_subtrees=None)
    return made.below(made.intermediate(extensions=((limits, True),)))


def _too_long(made: Certificates) -> Served:
    upper = made.intermediate(common_name="Last CA", path_length=0)
    lower = issue(Options(common_name="One too many", not_before=_ago(900), lifetime=_YEARS, ca=True), upper)
    return made.below(lower, upper)


PROFILES: Mapping[str, Callable[[Certificates], Served]] = {
    "good": lambda made: made.make(),
    "expired": _expired,
    "expired-rsa": _expired_rsa,
    "not-yet": lambda made: made.make(not_before=_ago(-5)),
    "old-ca": lambda made: made.below(made.intermediate(not_before=_ago(900), lifetime=timedelta(days=890))),
    "self-signed": _self_signed,
    "unknown-ca": _unknown_ca,
    "incomplete": _incomplete,
    "wrong-order": _wrong_order,
    "extra": _with(lambda made: made.private.intermediate.certificate),
    "with-root": _with(lambda made: made.public.root.certificate),
    "constrained": _constrained,
    "no-ca": lambda made: made.below(made.intermediate(ca=False, eku=None)),
    "path-length": _too_long,
    "client-auth": lambda made: made.make(eku=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
    "private": lambda made: made.make_private(),
    "private-bare": lambda made: made.make_private(key_identifiers=False, key_usage=False),
    "private-long": lambda made: made.make_private(not_before=_ago(60), lifetime=_LONG),
    "private-1024": lambda made: made.make_private(key=rsa_key(1024)),
    "ed25519-private": lambda made: made.make_private(key=ed25519_key()),
    "ed25519-public": lambda made: made.make(key=ed25519_key()),
    "wrong-name": lambda made: made.make(names=("other.test",)),
    "cn-only": lambda made: made.make(names=(), common_name=NAME),
    "wildcard": lambda made: made.make(names=(f"*.{NAME}",)),
    "rsa-2048": lambda made: made.make(key=rsa_key()),
    "rsa-4096": lambda made: made.make(key=rsa_key(4096)),
    "rsa-1024": lambda made: made.make(key=rsa_key(1024)),
    "p-384": lambda made: made.make(key=ec.generate_private_key(ec.SECP384R1())),
    "ca-1024": lambda made: made.below(made.intermediate(key=rsa_key(1024))),
    "sha1-leaf": lambda made: _weak_leaf(made, "sha1"),
    "md5-leaf": lambda made: _weak_leaf(made, "md5"),
    "sha1-ca": _weak_intermediate,
    "long-before": lambda made: made.make(not_before=datetime(2026, 2, 15, tzinfo=UTC), lifetime=timedelta(days=397)),
    "long-after": lambda made: made.make(not_before=_ago(60), lifetime=_LONG),
    "six-days": lambda made: made.make(lifetime=timedelta(hours=160), crl_url=None),
    "ocsp": lambda made: made.make(ocsp_url=_OCSP),
    "must-staple": lambda made: made.make(ocsp_url=_OCSP, must_staple=True),
}
