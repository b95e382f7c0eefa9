from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.events.facts import CertificateStatus
from vigilo.tls.der import elements, only
from vigilo.tls.ocsp import read_staple

AUTHORITY = pki.Authority.create()
ISSUER = AUTHORITY.intermediate
LEAF = AUTHORITY.leaf("a.test")
OTHER = AUTHORITY.leaf("b.test")
THIS = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (ocsp.OCSPCertStatus.GOOD, CertificateStatus.GOOD),
        (ocsp.OCSPCertStatus.REVOKED, CertificateStatus.REVOKED),
        (ocsp.OCSPCertStatus.UNKNOWN, CertificateStatus.UNKNOWN),
    ],
)
def test_a_response_signed_by_the_issuer(status: ocsp.OCSPCertStatus, seen: CertificateStatus) -> None:
    staple = read_staple(pki.ocsp_response(LEAF, ISSUER, status=status, this_update=THIS), LEAF.chain_der)
    assert (staple.present, staple.response_status, staple.parse_error) == (True, "successful", None)
    assert (staple.certificate_status, staple.matches_leaf, staple.signature_valid) == (seen, True, True)
    assert (staple.this_update, staple.next_update) == (THIS, THIS + timedelta(days=4))
    assert (staple.revoked_at is not None) == (seen is CertificateStatus.REVOKED)


@pytest.mark.parametrize("key", [pki.rsa_key(2048), pki.ed25519_key(), pki.ec_key()])
def test_issuers_with_keys_of_every_kind(key: pki.Key) -> None:
    issuer = pki.issue(pki.Options(common_name="CA", ca=True, key=key))
    leaf = pki.issue(pki.Options(names=("a.test",)), issuer)
    assert read_staple(pki.ocsp_response(leaf, issuer), (leaf.der, issuer.der)).signature_valid is True


def test_a_delegated_responder_needs_the_purpose() -> None:
    good = pki.ocsp_response(LEAF, ISSUER, responder=pki.ocsp_responder(ISSUER))
    assert read_staple(good, LEAF.chain_der).signature_valid is True
    purposeless = pki.ocsp_responder(ISSUER, eku=(ExtendedKeyUsageOID.SERVER_AUTH,))
    assert read_staple(pki.ocsp_response(LEAF, ISSUER, responder=purposeless), LEAF.chain_der).signature_valid is False
    stranger = pki.ocsp_responder(pki.Authority.create().intermediate)
    assert read_staple(pki.ocsp_response(LEAF, ISSUER, responder=stranger), LEAF.chain_der).signature_valid is False


def test_a_responder_must_have_been_valid_when_it_answered() -> None:
    late = pki.Options(
        common_name="OCSP", eku=(ExtendedKeyUsageOID.OCSP_SIGNING,), not_before=datetime.now(UTC) + timedelta(days=1)
    )
    response = pki.ocsp_response(LEAF, ISSUER, responder=pki.issue(late, ISSUER))
    assert read_staple(response, LEAF.chain_der).signature_valid is False


def test_a_response_about_another_certificate_does_not_match() -> None:
    staple = read_staple(pki.ocsp_response(OTHER, ISSUER), LEAF.chain_der)
    assert (staple.matches_leaf, staple.signature_valid) == (False, True)


def test_same_serial_of_another_issuer_does_not_match() -> None:
    elsewhere = pki.issue(
        pki.Options(names=("a.test",), serial=LEAF.certificate.serial_number),
        pki.Authority.create("Other").intermediate,
    )
    stranger = pki.Authority.create("Other").intermediate
    assert read_staple(pki.ocsp_response(elsewhere, stranger), LEAF.chain_der).matches_leaf is False


def test_without_the_issuer_the_signature_is_unknown() -> None:
    staple = read_staple(pki.ocsp_response(LEAF, ISSUER), LEAF.chain_der[:1])
    assert (staple.matches_leaf, staple.signature_valid) == (True, None)


def test_the_issuer_is_found_wherever_it_is_served() -> None:
    root = AUTHORITY.root.der
    staple = read_staple(pki.ocsp_response(LEAF, ISSUER), (LEAF.der, b"junk", root, ISSUER.der))
    assert staple.signature_valid is True


def test_a_changed_response_has_no_valid_signature() -> None:
    response = bytearray(pki.ocsp_response(LEAF, ISSUER))
    response[-5] ^= 1
    assert read_staple(bytes(response), LEAF.chain_der).signature_valid is False


def test_an_unsuccessful_response_says_so() -> None:
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    staple = read_staple(response.public_bytes(Encoding.DER), LEAF.chain_der)
    assert (staple.present, staple.response_status, staple.certificate_status) == (True, "try-later", None)


@given(st.binary(max_size=300))
def test_any_bytes_give_facts(response: bytes) -> None:
    assert read_staple(response, LEAF.chain_der).parse_error is not None


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=6))
def test_damaged_responses_give_facts(seed: int, wounds: int) -> None:
    response = bytearray(pki.ocsp_response(LEAF, ISSUER))
    chance = random.Random(seed)
    for _ in range(wounds):
        response[chance.randrange(len(response))] = chance.randrange(256)
    assert read_staple(bytes(response), LEAF.chain_der).present is True


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = bytes((len(content),)) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes((tag,)) + size + content


def parts(data: bytes) -> list[bytes]:
    return [element.whole for element in elements(only(data, data[0]).content)]


def signed_with_pss(response: bytes, key: rsa.RSAPrivateKey, algorithm: bytes, salt: int) -> bytes:
    """The same answer signed once more, in the probabilistic scheme."""
    status, body = parts(response)
    kind, octets = parts(parts(body)[0])
    signed, _, _, *more = parts(only(octets, 0x04).content)
    signature = key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    basic = der(0x30, signed, algorithm, der(0x03, b"\x00", signature), *more)
    return der(0x30, status, der(0xA0, der(0x30, kind, der(0x04, basic))))


@pytest.mark.parametrize(("salt", "valid"), [(32, True), (20, False)])
def test_rsa_pss_is_verified_as_its_parameters_say(salt: int, valid: bool) -> None:
    key = pki.rsa_key(2048)
    issuer = pki.issue(pki.Options(common_name="CA", ca=True, key=key))
    leaf = pki.issue(pki.Options(names=("a.test",)), issuer)
    algorithm = bytes.fromhex(  # SHA-256, MGF1 with SHA-256, 32 octets of salt
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
    )
    response = signed_with_pss(pki.ocsp_response(leaf, issuer), key, algorithm, salt)
    staple = read_staple(response, (leaf.der, issuer.der))
    assert (staple.parse_error, staple.matches_leaf, staple.signature_valid) == (None, True, valid)
