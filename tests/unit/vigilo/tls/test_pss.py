from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.tls.der import NotDer, elements, only
from vigilo.tls.pss import read_pss


def algorithm_of(digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512, salt: int) -> bytes:
    """A signatureAlgorithm as OpenSSL-backed code writes it into a certificate."""
    key = pki.rsa_key(2048)
    builder = pki._builder(pki.Options(names=("a.test",)), key, None)
    mask = padding.PSS(mgf=padding.MGF1(digest), salt_length=salt)
    der = builder.sign(key, digest, rsa_padding=mask).public_bytes(Encoding.DER)
    return list(elements(only(der, 0x30).content))[1].whole


@pytest.mark.parametrize(("digest", "salt"), [(hashes.SHA256(), 32), (hashes.SHA512(), 20)])
def test_what_is_written_is_read(digest: hashes.SHA256 | hashes.SHA512, salt: int) -> None:
    found = read_pss(algorithm_of(digest, salt))
    assert (found.digest.name, found.mask_digest.name, found.salt_length) == (digest.name, digest.name, salt)


def test_what_is_left_out_is_sha1() -> None:
    found = read_pss(bytes.fromhex("300d06092a864886f70d01010a3000"))
    assert (found.digest.name, found.mask_digest.name, found.salt_length) == ("sha1", "sha1", 20)


@given(st.binary(max_size=80), st.integers(0, 60))
def test_any_bytes_give_parameters_or_not_der(data: bytes, at: int) -> None:
    usual = bytearray.fromhex(
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
    )
    usual[at : at + len(data) // 8] = data[: len(data) // 8]
    for one in (data, bytes(usual)):
        try:
            assert 0 <= read_pss(one).salt_length <= 1024
        except NotDer:
            continue
