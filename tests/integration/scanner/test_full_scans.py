"""Full scans of real servers: what is found is what the server was configured with, in few connections."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest
from OpenSSL import SSL

from services.scanner.enumerating import Endpoint, Enumeration
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from services.scanner.vulnerabilities import Probes
from tests.fakes.foreign_servers import openssl_server, openssl_suites, tlslite_server
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.relay import Relay
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.scanner_process import https_like_port
from tests.fakes.tls_server import Serving, TlsServer
from tests.fakes.web_servers import nginx
from vigilo.events.posture import Posture, SuiteOrder, Support, VersionPosture
from vigilo.events.scans import Depth, Outcome
from vigilo.tls.posture.describe import describe_posture

FIVE = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384"
)
FIVE_NAMES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
}
TLS13_NAMES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
NO_PROBES = Probes(heartbleed=False, ccs=False, ticketbleed=False, robot=False)
OLD_CIPHERS = "ALL:!aNULL:!ARIA:!CAMELLIA:!CCM:!CCM8:!PSK:!SRP:@SECLEVEL=0"


@pytest.fixture(scope="session")
def rsa_leaf(authority: Authority) -> Issued:
    return authority.leaf("a.test", options=Options(key=rsa_key(2048)))


async def posture_of(port: int, tools: Tools) -> Posture:
    snapshot = await scan_target(full_request("127.0.0.1", port), tools)
    assert snapshot.posture is not None, snapshot.detail
    assert snapshot.depth is Depth.FULL
    assert not snapshot.posture.throttled
    return snapshot.posture


def version(posture: Posture, name: str) -> VersionPosture:
    return next(one for one in posture.versions if one.version == name)


async def test_a_modern_server_in_at_most_45_connections(authority: Authority, tools: Tools) -> None:
    """The chain without a name and resumption among them; questions about known holes are counted elsewhere."""
    tools.probes = NO_PROBES
    with TlsServer(Serving(authority.leaf("a.test"), oldest=SSL.TLS1_2_VERSION, ciphers=FIVE)) as server:
        posture = await posture_of(server.port, tools)
        assert server.accepted <= 45
        assert server.accepted == tools.connections
    assert posture.supporting(Support.ACCEPTED) == ("TLSv1.2", "TLSv1.3")
    assert posture.supporting(Support.REJECTED) == ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1")
    assert set(version(posture, "TLSv1.2").suites) == FIVE_NAMES
    assert set(version(posture, "TLSv1.3").suites) == TLS13_NAMES
    assert all(version(posture, name).complete for name in ("TLSv1.2", "TLSv1.3"))
    assert posture.groups is not None
    assert {"X25519MLKEM768", "x25519", "secp256r1", "secp384r1"} <= set(posture.groups.groups)
    assert posture.groups.complete
    assert posture.groups_tls12 is not None
    assert {"x25519", "secp256r1", "secp384r1"} <= set(posture.groups_tls12.groups)
    assert (posture.compression, posture.secure_renegotiation) == (Support.REJECTED, Support.ACCEPTED)
    assert (posture.fallback_scsv, posture.extended_master_secret) == (Support.ACCEPTED, Support.ACCEPTED)
    assert posture.dh_bits is None


async def test_an_old_server_in_at_most_115_connections(rsa_leaf: Issued, tools: Tools, tmp_path: Path) -> None:
    options = ("-min_protocol", "TLSv1", "-cipher", OLD_CIPHERS, "-serverpref", "-groups", "X25519:P-384:P-256")
    with openssl_server(rsa_leaf, tmp_path, *options) as port, Relay(port) as relay:
        posture = await posture_of(relay.port, tools)
        assert relay.accepted <= 115
        assert relay.accepted == tools.connections
    assert posture.supporting(Support.ACCEPTED) == ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    for name, flag in (("TLSv1.0", "-tls1"), ("TLSv1.1", "-tls1_1"), ("TLSv1.2", "-tls1_2")):
        found = version(posture, name)
        assert list(found.suites) == openssl_suites(flag, OLD_CIPHERS)
        assert (found.complete, found.order) == (True, SuiteOrder.SERVER)
    assert posture.groups is not None
    assert posture.groups_tls12 is not None
    assert posture.groups.groups == posture.groups_tls12.groups == ("x25519", "secp384r1", "secp256r1")
    assert posture.dh_bits == 2048  # as strong as the RSA key: OpenSSL's automatic choice


async def test_everything_openssl_can_do(rsa_leaf: Issued, tools: Tools, tmp_path: Path) -> None:
    """Rare suites, too, and in the server's order among the usual ones."""
    ciphers = "ALL:eNULL:!PSK:!SRP:@SECLEVEL=0"
    with openssl_server(rsa_leaf, tmp_path, "-tls1_2", "-cipher", ciphers, "-serverpref") as port:
        posture = await posture_of(port, tools)
    assert posture.supporting(Support.ACCEPTED) == ("TLSv1.2",)
    assert list(version(posture, "TLSv1.2").suites) == openssl_suites("-tls1_2", ciphers)
    assert posture.dh_bits == 1024  # OpenSSL's automatic choice for anonymous suites at security level 0
    assert posture.fallback_scsv is Support.UNKNOWN  # one version only: nothing to fall back to


@pytest.mark.parametrize(
    ("options", "first", "chacha"),
    [
        ((), None, None),
        (("-serverpref",), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", False),
        (("-serverpref", "-prioritize_chacha"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", True),
    ],
)
async def test_whose_order_counts(
    rsa_leaf: Issued, tools: Tools, tmp_path: Path, options: tuple[str, ...], first: str | None, chacha: bool | None
) -> None:
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"
    with openssl_server(rsa_leaf, tmp_path, "-cipher", ciphers, *options) as port:
        posture = await posture_of(port, tools)
    found = version(posture, "TLSv1.2")
    assert found.order is (SuiteOrder.SERVER if first else SuiteOrder.CLIENT)
    assert found.chacha_first is chacha
    assert first is None or found.suites[0] == first
    assert len(found.suites) == 4


@pytest.mark.parametrize(
    ("flag", "alive"), [("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")]
)
async def test_one_version_only(rsa_leaf: Issued, tools: Tools, tmp_path: Path, flag: str, alive: str) -> None:
    with openssl_server(rsa_leaf, tmp_path, flag, "-cipher", "ALL:@SECLEVEL=0") as port:
        posture = await posture_of(port, tools)
    assert posture.supporting(Support.ACCEPTED) == (alive,)
    assert posture.supporting(Support.UNKNOWN) == ()


@pytest.mark.parametrize("groups", ["P-256", "X448:ffdhe3072:P-521"])
async def test_groups_are_those_configured(rsa_leaf: Issued, tools: Tools, tmp_path: Path, groups: str) -> None:
    names = {"P-256": "secp256r1", "P-521": "secp521r1", "X448": "x448"}
    with openssl_server(rsa_leaf, tmp_path, "-groups", groups, "-serverpref") as port:
        posture = await posture_of(port, tools)
    wanted = tuple(names.get(group, group) for group in groups.split(":"))
    assert posture.groups is not None
    assert posture.groups_tls12 is not None
    assert posture.groups.groups == wanted
    assert posture.groups_tls12.groups == tuple(name for name in wanted if not name.startswith("ffdhe"))


async def test_suites_of_tls13_that_openssl_offers_only_when_told(
    rsa_leaf: Issued, tools: Tools, tmp_path: Path
) -> None:
    """A server with CCM alone is reachable, its chain is seen, and so are both suites."""
    ccm = ("TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_SHA256")
    with openssl_server(rsa_leaf, tmp_path, "-tls1_3", "-ciphersuites", ":".join(ccm), "-serverpref") as port:
        posture = await posture_of(port, tools)
    assert version(posture, "TLSv1.3").suites == ccm


async def test_broken_crypto_of_long_ago(rsa_leaf: Issued, tools: Tools) -> None:
    """SSL 3, RC4, 3DES and NULL, which no OpenSSL of today can be made to speak."""
    with tlslite_server(rsa_leaf, ciphers=("rc4", "3des", "null"), key_exchanges=("rsa", "dhe_rsa")) as port:
        posture = await posture_of(port, tools)
    assert posture.supporting(Support.ACCEPTED) == ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2")
    below_12 = {
        "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_RC4_128_MD5",
        "TLS_RSA_WITH_NULL_SHA",
        "TLS_RSA_WITH_NULL_MD5",
    }
    for name in ("SSLv3", "TLSv1.0", "TLSv1.1"):
        assert set(version(posture, name).suites) == below_12
    assert set(version(posture, "TLSv1.2").suites) == {*below_12, "TLS_RSA_WITH_NULL_SHA256"}
    assert posture.dh_bits == 2048


async def test_a_server_that_insists_on_another_protocol(authority: Authority, tools: Tools) -> None:
    """no_application_protocol is no answer about suites."""
    serving = Serving(authority.leaf("a.test"), alpn=(b"imap",), refuse_unknown_alpn=True)
    with TlsServer(serving) as server, Relay(server.port) as relay:
        posture = await posture_of(relay.port, tools)
    assert "TLSv1.3" in posture.supporting(Support.ACCEPTED)


async def test_a_ban_in_the_middle_discards_what_was_refused(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server, Relay(server.port, ban_after=12) as relay:
        snapshot = await scan_target(full_request("127.0.0.1", relay.port), tools)
        # To notice it takes five in flight and one more of each, and the offer that was taken before, twice.
        assert relay.accepted <= 32
    assert snapshot.outcome is Outcome.OK
    posture = snapshot.posture
    assert posture is not None
    assert posture.throttled
    assert posture.supporting(Support.REJECTED) == ()
    assert not any(one.complete for one in posture.versions)


async def test_older_versions_are_known_before_all_is(authority: Authority, tools: Tools) -> None:
    """Known holes are asked about meanwhile: a far server waits for fewer rounds."""
    known: list[bool] = []
    with TlsServer(Serving(authority.leaf("a.test"), oldest=SSL.TLS1_2_VERSION, ciphers=FIVE)) as server:
        endpoint = Endpoint(ip_address("127.0.0.1"), server.port, "a.test", alpn=False)
        deadline = asyncio.get_running_loop().time() + 20
        enumeration = Enumeration(
            endpoint,
            deadline,
            part_from=tools.part_from,
            opened=lambda: known.append(enumeration.older.done()),
            turns=tools.courtesy.probe(endpoint.address),
        )
        posture = await enumeration.run(known_good=True)
    older = describe_posture(enumeration.older.result(), address="127.0.0.1", connections=0, duration_ms=0)
    assert older.versions[:5] == posture.versions[:5]
    assert older.groups_tls12 == posture.groups_tls12
    assert (known[0], known[-1]) == (False, True)


@pytest.mark.parametrize("site", ["intermediate", "ChaCha first", "modern"])
async def test_nginx_in_few_connections(authority: Authority, tools: Tools, tmp_path: Path, site: str) -> None:
    """Everything a full scan may ask of a site: chain without a name, resumption, HSTS; then known holes, too."""
    rsa, ecdsa = authority.leaf("a.test", options=Options(key=rsa_key(2048))), authority.leaf("a.test")
    with nginx(rsa, ecdsa, tmp_path) as sites:
        for probes, at_most in ((NO_PROBES, 45), (Probes(), 56)):
            tools.probes = probes
            with Relay(sites[site], port=https_like_port()) as relay:
                snapshot = await scan_target(full_request("a.test", relay.port, address="127.0.0.1"), tools)
                assert relay.accepted <= at_most
            assert (snapshot.posture is not None, snapshot.hsts is not None) == (True, True)
            assert (snapshot.without_sni is not None, snapshot.resumption is not None) == (True, True)


async def test_light_scans_enumerate_nothing(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
        assert server.accepted <= 3
    assert (snapshot.depth, snapshot.posture) == (Depth.LIGHT, None)
