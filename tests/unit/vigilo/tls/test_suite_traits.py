"""Every name of the registry is read; the traits are those of the suites' RFCs."""

from __future__ import annotations

import pytest

from vigilo.tls.suite_traits import suite_traits
from vigilo.tls.wire.suite_names import SUITE_NAMES


def test_the_strength_of_every_registered_suite_is_known() -> None:
    unknown = [name for name in SUITE_NAMES.values() if (suite := suite_traits(name)) is None or suite.bits is None]
    assert not unknown


@pytest.mark.parametrize(
    ("name", "exchange", "authentication", "bits", "marks"),
    [
        ("TLS_AES_128_GCM_SHA256", None, None, 128, "aead secret"),
        ("TLS_SHA256_SHA256", None, None, 0, "secret"),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "ECDSA", 256, "aead secret"),
        ("TLS_DHE_RSA_WITH_AES_256_CCM", "DHE", "RSA", 256, "aead secret"),
        ("TLS_ECDH_RSA_WITH_AES_256_CBC_SHA", "ECDH", "RSA", 256, ""),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "RSA", "RSA", 112, "short"),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "RSA", "RSA", 40, "short export"),
        ("TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA", "DHE", "DSS", 56, "secret export rc4"),
        ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", "DH", "anon", 128, "aead secret anonymous"),
        ("TLS_RSA_WITH_NULL_SHA256", "RSA", "RSA", 0, ""),
        ("TLS_RSA_PSK_WITH_AES_128_CBC_SHA", "RSA", "PSK", 128, ""),
        ("TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE", "PSK", 128, "aead secret"),
        ("SSL_RSA_FIPS_WITH_DES_CBC_SHA", "RSA", "RSA", 56, "short"),
    ],
)
def test_traits(name: str, exchange: str | None, authentication: str | None, bits: int, marks: str) -> None:
    suite = suite_traits(name)
    assert suite is not None
    assert (suite.exchange, suite.authentication, suite.bits) == (exchange, authentication, bits)
    seen = {
        "aead": suite.aead,
        "secret": suite.forward_secret,
        "short": suite.short_blocks,
        "export": suite.export,
        "rc4": suite.rc4,
        "anonymous": suite.anonymous,
    }
    assert {mark for mark, given in seen.items() if given} == set(marks.split())


def test_what_is_no_suite_has_no_traits() -> None:
    assert suite_traits("0x1337") is None
