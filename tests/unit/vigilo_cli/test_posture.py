from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from vigilo.events.posture import (
    Exposure,
    GroupsPosture,
    Posture,
    SuiteOrder,
    Support,
    VersionPosture,
    Vulnerability,
)
from vigilo_cli.posture import posture_table, suite_text, versions_table, vulnerabilities_table


def lines(what: RenderableType) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=120, markup=False).print(what)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def version(name: str, support: Support, *suites: str, complete: bool = True) -> VersionPosture:
    order = SuiteOrder.SERVER if len(suites) > 1 else None
    count = len(suites)
    return VersionPosture(
        version=name, support=support, suites=suites, suites_count=count, complete=complete, order=order
    )


@pytest.mark.parametrize(
    ("suite", "remark"),
    [
        ("TLS_AES_128_GCM_SHA256", ""),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", ""),
        ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ""),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", "no forward secrecy"),
        ("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", "no forward secrecy"),
        ("TLS_PSK_WITH_AES_128_CBC_SHA", "no forward secrecy"),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "weak"),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "weak"),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "weak"),
        ("TLS_RSA_WITH_NULL_SHA256", "weak"),
        ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "weak"),
    ],
)
def test_suites_are_remarked_on(suite: str, remark: str) -> None:
    assert suite_text(suite).plain == (f"{suite}  {remark}" if remark else suite)


def test_each_version_has_its_mark_newest_first() -> None:
    posture = Posture(
        versions=(
            version("SSLv3", Support.REJECTED),
            version("TLSv1.0", Support.ACCEPTED, "TLS_RSA_WITH_AES_128_CBC_SHA", complete=False),
            version("TLSv1.2", Support.ACCEPTED, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_NULL_SHA"),
            version("TLSv1.3", Support.UNKNOWN),
        )
    )
    assert lines(versions_table(posture)) == [
        "?     TLSv1.3  unknown",
        "ok    TLSv1.2  yes, 2 suites, the server's order",
        "               TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "               TLS_PSK_WITH_NULL_SHA  weak",
        "FAIL  TLSv1.0  yes, one suite, and maybe more",
        "               TLS_RSA_WITH_AES_128_CBC_SHA  no forward secrecy",
        "ok    SSLv3    no",
    ]


def test_what_else_is_accepted() -> None:
    posture = Posture(
        versions=(version("TLSv1.2", Support.ACCEPTED),),
        groups_tls12=GroupsPosture(groups=("x25519", "secp256r1"), complete=False),
        dh_bits=1024,
        compression=Support.ACCEPTED,
    )
    text = "\n".join(lines(posture_table(posture)))
    for words in ("x25519, secp256r1, and maybe more", "1024 bits, weak", "not needed: only one version is spoken"):
        assert words in text


def test_holes_with_their_evidence() -> None:
    posture = Posture(
        vulnerabilities=(
            Vulnerability(name="heartbleed", exposure=Exposure.VULNERABLE, evidence="answered with \x1b more"),
            Vulnerability(name="robot"),
        )
    )
    assert lines(vulnerabilities_table(posture)) == ["FAIL  heartbleed  answered with \\x1b more", "?     robot"]
