from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.events.facts import KeyAlgorithm
from vigilo.tls.certificate import CERTIFICATE_MAX, read_certificate

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
AUTHORITY = pki.Authority.create()
LEAF = AUTHORITY.leaf("www.example.test", "*.example.test", "192.0.2.7", "2001:db8::1")


def test_a_leafs_facts_are_what_it_was_made_of() -> None:
    options = pki.Options(
        names=("a.test", "b.test", "192.0.2.1"),
        not_before=NOON,
        lifetime=timedelta(days=47),
        serial=0x0ABC,
        eku=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3.4")),
        ocsp_url="http://ocsp.test/",
        crl_url="http://crl.test/1.crl",
        must_staple=True,
    )
    leaf = pki.issue(options, AUTHORITY.intermediate)
    facts = read_certificate(leaf.der)
    assert facts.fingerprint_sha256 == hashlib.sha256(leaf.der).hexdigest()
    assert (facts.subject, facts.issuer) == ("CN=a.test", "CN=Test CA")
    assert facts.serial_hex == "0abc"
    assert (facts.not_before, facts.not_after) == (NOON, NOON + timedelta(days=47))
    assert (facts.san, facts.san_ip, facts.san_count) == (("a.test", "b.test"), ("192.0.2.1",), 3)
    assert (facts.key_algorithm, facts.key_bits, facts.key_detail) == (KeyAlgorithm.EC, 256, "P-256")
    assert facts.signature_algorithm == "ecdsa-with-SHA256"
    assert facts.eku == ("serverAuth", "clientAuth", "1.2.3.4")
    assert facts.ocsp_urls == ("http://ocsp.test/",)
    assert facts.crl_urls == ("http://crl.test/1.crl",)
    assert (facts.must_staple, facts.is_ca, facts.self_issued, facts.parse_error) == (True, False, False, None)


def test_a_root_is_a_self_issued_ca() -> None:
    facts = read_certificate(AUTHORITY.root.der)
    assert (facts.is_ca, facts.self_issued) == (True, True)


@pytest.mark.parametrize(
    ("key", "algorithm", "bits", "detail"),
    [
        (pki.rsa_key(1024), KeyAlgorithm.RSA, 1024, None),
        (pki.rsa_key(2048), KeyAlgorithm.RSA, 2048, None),
        (rsa.generate_private_key(3, 2048), KeyAlgorithm.RSA, 2048, "e=3"),
        (ec.generate_private_key(ec.SECP384R1()), KeyAlgorithm.EC, 384, "P-384"),
        (ec.generate_private_key(ec.BrainpoolP256R1()), KeyAlgorithm.EC, 256, "brainpoolP256r1"),
        (pki.ed25519_key(), KeyAlgorithm.ED25519, 256, None),
        (ed448.Ed448PrivateKey.generate(), KeyAlgorithm.ED448, 456, None),
        (dsa.generate_private_key(1024), KeyAlgorithm.DSA, 1024, None),
    ],
)
def test_keys_of_every_kind(key: pki.Key, algorithm: KeyAlgorithm, bits: int, detail: str | None) -> None:
    facts = read_certificate(pki.issue(pki.Options(names=("a.test",), key=key), AUTHORITY.intermediate).der)
    assert (facts.key_algorithm, facts.key_bits, facts.key_detail) == (algorithm, bits, detail)
    assert facts.parse_error is None


@pytest.mark.parametrize(
    ("serial", "shown"), [(1, "01"), (0x80, "0080"), (0x00FF00, "00ff00"), (2**158, "40" + "00" * 19)]
)
def test_the_serial_keeps_its_leading_zeros(serial: int, shown: str) -> None:
    assert read_certificate(pki.issue(pki.Options(serial=serial)).der).serial_hex == shown


def test_lists_are_capped_and_counts_are_not() -> None:
    names = tuple(f"n{i}.test" for i in range(95)) + tuple(f"192.0.2.{i}" for i in range(10))
    facts = read_certificate(pki.issue(pki.Options(names=names)).der)
    assert (len(facts.san), len(facts.san_ip), facts.san_count) == (95, 5, 105)
    hundred = read_certificate(pki.issue(pki.Options(names=tuple(f"n{i}.test" for i in range(100)))).der)
    assert (len(hundred.san), hundred.san_count) == (100, 100)


def test_hidden_characters_of_a_subject_become_visible() -> None:
    facts = read_certificate(pki.issue(pki.Options(common_name="good\u202egro.live\x1b[2J")).der)
    assert facts.subject == r"CN=good\u202egro.live\x1b[2J"


def test_an_oversized_certificate_is_not_parsed() -> None:
    facts = read_certificate(LEAF.der + bytes(CERTIFICATE_MAX))
    assert facts.parse_error is not None
    assert "larger" in facts.parse_error


def test_one_bad_extension_does_not_hide_the_rest() -> None:
    san = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x01\xff")
    facts = read_certificate(pki.issue(pki.Options(common_name="a.test", extensions=((san, False),))).der)
    assert facts.parse_error is not None
    assert "extensions" in facts.parse_error
    assert (facts.subject, facts.key_bits) == ("CN=a.test", 256)
    assert facts.not_after is not None


@given(st.binary(max_size=400))
def test_any_bytes_give_facts(der: bytes) -> None:
    facts = read_certificate(der)
    assert facts.fingerprint_sha256 == hashlib.sha256(der).hexdigest()
    assert facts.parse_error is not None


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=8))
def test_damaged_certificates_give_facts(seed: int, wounds: int) -> None:
    der = bytearray(LEAF.der)
    chance = random.Random(seed)
    for _ in range(wounds):
        der[chance.randrange(len(der))] = chance.randrange(256)
    assert read_certificate(bytes(der)).fingerprint_sha256 == hashlib.sha256(der).hexdigest()
