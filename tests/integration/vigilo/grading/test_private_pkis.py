"""Private chains as the usual tools make them: our verdict is the one of the openssl program on the same files."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.certificate_parts import BEGIN, CA_USAGE, alternative_names, ca_flag, key_usage, purposes, sign
from tests.fakes.private_pkis import HOST, PKIS, PrivatePki
from vigilo.events.cards import TrustDomain, TrustReason, TrustVerdict, Verdict
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
from vigilo.tls.certificate import certificate_names
from vigilo.tls.names import matches_name

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl program")

GOOD_DAY = BEGIN + timedelta(days=3)
UNKNOWN, INCOMPLETE, SIGNATURE = TrustReason.UNKNOWN_ISSUER, TrustReason.INCOMPLETE, TrustReason.BAD_SIGNATURE
SELF_SIGNED = TrustReason.SELF_SIGNED

# What a CA of the same name but another key makes of it; and a missing intermediate, where there is one to miss.
BROKEN: dict[str, tuple[TrustReason, TrustReason | None]] = {
    "easy_rsa": (UNKNOWN, None),
    "vault": (UNKNOWN, INCOMPLETE),
    "ad_cs": (INCOMPLETE, INCOMPLETE),
    "step_ca": (UNKNOWN, UNKNOWN),
    "mkcert": (UNKNOWN, None),
    "openssl_self_signed": (SELF_SIGNED, None),
    "version_1_root": (UNKNOWN, None),
    "ed25519_ca": (UNKNOWN, UNKNOWN),
    "without_key_identifiers": (SIGNATURE, UNKNOWN),
    "p384_over_rsa": (UNKNOWN, UNKNOWN),
    "ca_without_key_usage": (UNKNOWN, UNKNOWN),
    "long_lived_wildcard": (UNKNOWN, None),
}


@cache
def made(name: str) -> PrivatePki:
    folder = Path(mkdtemp(prefix="pki-"))
    try:
        return PKIS[name](folder)
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Question:
    """A chain, leaf first, anchors and an instant, for both judges."""

    chain: tuple[x509.Certificate, ...]
    anchors: tuple[x509.Certificate, ...]
    at: datetime = GOOD_DAY

    def ours(self) -> TrustVerdict:
        """What the private domain says."""
        stores = TrustStores(public=AnchorSet("none", ()), private=AnchorSet("test", self.anchors))
        chain = [one.public_bytes(Encoding.DER) for one in self.chain]
        return TrustJudge(stores).judge(chain, TrustDomain.PRIVATE, at=self.at)

    def openssls(self, folder: Path) -> tuple[Verdict, int | None]:
        """What the openssl program says, and the depth it complains about."""
        _write(folder / "anchors.pem", self.anchors)
        _write(folder / "others.pem", self.chain[1:])
        _write(folder / "leaf.pem", self.chain[:1])
        untrusted = ["-untrusted", "others.pem"] if self.chain[1:] else []
        when = ["-attime", str(int(self.at.timestamp()))]
        how = ["-partial_chain", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile", "anchors.pem"]
        command = ["openssl", "verify", *how, *when, *untrusted, "leaf.pem"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
        said = re.search(r"error \d+ at (\d+) depth", run.stdout + run.stderr)
        assert (said is None) == (run.returncode == 0), run.stderr
        return (Verdict.YES, None) if said is None else (Verdict.NO, int(said[1]))


def _write(path: Path, certificates: tuple[x509.Certificate, ...]) -> None:
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))


def check(question: Question, folder: Path, reason: TrustReason | None) -> None:
    verdict, (trusted, depth) = question.ours(), question.openssls(folder)
    assert (verdict.trusted, verdict.depth) == (trusted, depth), verdict
    assert verdict.trusted is (Verdict.YES if reason is None else Verdict.NO)
    assert verdict.reason is reason


def test_twelve_kinds_are_here() -> None:
    assert len(PKIS) == 12
    assert set(BROKEN) == set(PKIS)


@pytest.mark.parametrize("name", PKIS)
def test_good_chains_are_valid_for_their_host(name: str, tmp_path: Path) -> None:
    pki = made(name)
    check(Question(pki.chain, pki.anchors), tmp_path, None)
    dns, addresses, _ = certificate_names(pki.chain[0])
    assert matches_name(HOST, dns_names=dns, ip_addresses=addresses)


@pytest.mark.parametrize("name", PKIS)
def test_an_expired_certificate_of_the_path_is_named(name: str, tmp_path: Path) -> None:
    pki = made(name)
    path = (*pki.chain, *(anchor for anchor in pki.anchors if anchor not in pki.chain))
    first = min(path, key=lambda one: one.not_valid_after_utc)
    question = Question(pki.chain, pki.anchors, at=first.not_valid_after_utc + timedelta(days=1))
    check(question, tmp_path, TrustReason.EXPIRED)
    assert question.ours().depth == path.index(first)


@pytest.mark.parametrize("name", PKIS)
def test_nothing_is_valid_before_its_time(name: str, tmp_path: Path) -> None:
    pki = made(name)
    earliest = min(one.not_valid_before_utc for one in (*pki.chain, *pki.anchors))
    check(Question(pki.chain, pki.anchors, at=earliest - timedelta(days=1)), tmp_path, TrustReason.NOT_YET_VALID)


@pytest.mark.parametrize("name", PKIS)
def test_a_namesake_of_the_ca_is_not_the_ca(name: str, tmp_path: Path) -> None:
    pki = made(name)
    check(Question(pki.chain, (pki.impostor,)), tmp_path, BROKEN[name][0])


@pytest.mark.parametrize("name", [name for name, (_, missing) in BROKEN.items() if missing is not None])
def test_a_missing_intermediate_breaks_the_chain(name: str, tmp_path: Path) -> None:
    pki = made(name)
    check(Question(pki.chain[:1], pki.anchors), tmp_path, BROKEN[name][1])


# A pinned leaf is trusted as it is: its signature tells nothing.
@pytest.mark.parametrize("name", [name for name in PKIS if name != "openssl_self_signed"])
def test_a_changed_signature_is_found(name: str, tmp_path: Path) -> None:
    pki = made(name)
    leaf = pki.chain[0].public_bytes(Encoding.DER)
    forged = x509.load_der_x509_certificate(leaf[:-1] + bytes([leaf[-1] ^ 1]))
    check(Question((forged, *pki.chain[1:]), pki.anchors), tmp_path, SIGNATURE)


OTHER_USES = {
    "none": ((), ()),
    "clients-only": ((purposes(ExtendedKeyUsageOID.CLIENT_AUTH),), ()),
    "any": ((purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),), ()),
    "clients-only-ca": ((), (purposes(ExtendedKeyUsageOID.CLIENT_AUTH),)),
    "servers-ca": ((), (purposes(ExtendedKeyUsageOID.SERVER_AUTH),)),
    "signs-certificates": ((key_usage("key_cert_sign"),), ()),
    "agrees-keys": ((key_usage("key_agreement"),), ()),
}


@pytest.mark.parametrize("use", OTHER_USES)
def test_purposes_are_read_as_openssl_reads_them(use: str, tmp_path: Path) -> None:
    of_leaf, of_ca = OTHER_USES[use]
    root = sign("CN=Root", (ca_flag(), CA_USAGE))
    issuing = sign("CN=Issuing", (ca_flag(), CA_USAGE, *of_ca), root)
    leaf = sign(f"CN={HOST}", (alternative_names(HOST), *of_leaf), issuing)
    good = use in ("none", "servers-ca", "agrees-keys")
    question = Question(leaf.chain, (root.certificate,))
    check(question, tmp_path, None if good else TrustReason.CONSTRAINT)
