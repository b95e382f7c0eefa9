from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from services.scanner.courtesy import Courtesy
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.hostile_server import HostileServer, Wait
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import https_like_port
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.facts import CertificateStatus, KeyAlgorithm
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Baseline, Depth, Outcome, Snapshot
from vigilo.tls.names import matches_name


async def scan(tools: Tools, serving: Serving) -> Snapshot:
    with TlsServer(serving) as server:
        return await scan_target(light_request("127.0.0.1", server.port), tools)


async def test_a_modern_server(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("127.0.0.1")
    snapshot = await scan(tools, Serving(leaf))
    assert (snapshot.outcome, snapshot.detail, snapshot.depth) == (Outcome.OK, None, Depth.LIGHT)
    assert (snapshot.protocol, snapshot.tls_version) == (Protocol.TLS, "TLSv1.3")
    assert snapshot.cipher_suite == "TLS_AES_256_GCM_SHA384"
    assert snapshot.group == "X25519MLKEM768"
    assert [one.subject for one in snapshot.chain] == ["CN=127.0.0.1", "CN=Test CA"]
    assert snapshot.chain_der is not None
    assert snapshot.client_certificate_demanded is False
    assert snapshot.staple is not None
    assert snapshot.staple.present is False
    (address,) = snapshot.addresses
    assert (address.address, address.outcome) == ("127.0.0.1", Outcome.OK)
    assert address.leaf_sha256 == leaf.certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize(
    ("version", "name", "suite"),
    [
        (SSL.TLS1_VERSION, "TLSv1.0", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
        (SSL.TLS1_1_VERSION, "TLSv1.1", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
        (SSL.TLS1_2_VERSION, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ],
)
async def test_servers_that_stayed_behind(
    tools: Tools, authority: pki.Authority, version: int, name: str, suite: str
) -> None:
    snapshot = await scan(tools, Serving(authority.leaf("a.test"), oldest=version, newest=version))
    assert (snapshot.outcome, snapshot.tls_version, snapshot.cipher_suite) == (Outcome.OK, name, suite)


async def test_tls_1_0_with_a_1024_bit_rsa_leaf_and_rsa_key_exchange(tools: Tools) -> None:
    leaf = pki.issue(pki.Options(names=("a.test",), key=pki.rsa_key(1024)))
    snapshot = await scan(tools, Serving(leaf, newest=SSL.TLS1_VERSION, ciphers=b"AES128-SHA:@SECLEVEL=0"))
    assert (snapshot.outcome, snapshot.tls_version) == (Outcome.OK, "TLSv1.0")
    assert (snapshot.cipher_suite, snapshot.group) == ("TLS_RSA_WITH_AES_128_CBC_SHA", None)
    assert (snapshot.chain[0].key_algorithm, snapshot.chain[0].key_bits) == (KeyAlgorithm.RSA, 1024)


async def test_leaves_of_every_kind_are_recorded_not_judged(tools: Tools, authority: pki.Authority) -> None:
    names = tuple(f"n{i}.example.test" for i in range(100))
    expired = pki.expiring("a.test", in_=timedelta(days=-3), issuer=authority.intermediate)
    future = pki.issue(pki.Options(names=("a.test",), not_before=datetime.now(UTC) + timedelta(days=9)))
    for leaf in (
        expired,
        future,
        authority.leaf("a.test", options=pki.Options(key=pki.ed25519_key())),
        authority.leaf(*names),
        pki.issue(pki.Options(names=("self.test",))),
        pki.issue(pki.Options(common_name="v1-like", basic_constraints=False, key_identifiers=False, key_usage=False)),
    ):
        snapshot = await scan(tools, Serving(leaf))
        assert snapshot.outcome is Outcome.OK
        assert snapshot.chain[0].not_after == leaf.certificate.not_valid_after_utc
        assert snapshot.chain[0].san_count == (
            0 if leaf.certificate.subject == pki.name("v1-like") else len(snapshot.chain[0].san)
        )


async def test_the_chain_is_recorded_as_served(tools: Tools, authority: pki.Authority) -> None:
    leaf, stranger = authority.leaf("a.test"), pki.Authority.create("Stranger")
    incomplete = await scan(tools, Serving(leaf, chain=[leaf.certificate]))
    assert incomplete.chain_count == 1
    odd = [leaf.certificate, stranger.root.certificate, authority.root.certificate, authority.intermediate.certificate]
    shuffled = await scan(tools, Serving(leaf, chain=odd))
    assert [one.subject for one in shuffled.chain] == ["CN=a.test", "CN=Stranger Root", "CN=Test Root", "CN=Test CA"]


async def test_a_known_chain_is_not_sent_again(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("a.test")
    with TlsServer(Serving(leaf)) as server:
        first = await scan_target(light_request("127.0.0.1", server.port), tools)
        baseline = Baseline(scan_id=first.scan_id, requested_at=first.requested_at, chain_sha256=first.chain_sha256)
        second = await scan_target(light_request("127.0.0.1", server.port, baseline=baseline), tools)
        server.serving = Serving(authority.leaf("a.test"))
        third = await scan_target(light_request("127.0.0.1", server.port, baseline=baseline), tools)
    assert (second.chain_der, second.chain_der_omitted) == (None, "same as baseline")
    assert second.chain_sha256 == first.chain_sha256
    assert third.chain_der is not None
    assert third.chain_sha256 != first.chain_sha256


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
async def test_a_server_that_demands_a_client_certificate_is_well(
    tools: Tools, authority: pki.Authority, version: int
) -> None:
    serving = Serving(authority.leaf("a.test"), newest=version, demand_client_certificate=True)
    snapshot = await scan(tools, serving)
    assert (snapshot.outcome, snapshot.client_certificate_demanded) == (Outcome.OK, True)
    assert (snapshot.chain_count, snapshot.tls_version is not None) == (2, True)


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
async def test_a_staple_is_read(tools: Tools, authority: pki.Authority, version: int) -> None:
    leaf = authority.leaf("a.test", options=pki.Options(ocsp_url="http://ocsp.test/"))
    staple = pki.ocsp_response(leaf, authority.intermediate)
    snapshot = await scan(tools, Serving(leaf, staples=[staple], newest=version))
    assert snapshot.staple is not None
    assert (snapshot.staple.certificate_status, snapshot.staple.signature_valid) == (CertificateStatus.GOOD, True)


async def test_a_missing_staple_is_asked_for_twice(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("a.test", options=pki.Options(ocsp_url="http://ocsp.test/"))
    staple = pki.ocsp_response(leaf, authority.intermediate)
    with TlsServer(Serving(leaf)) as never, TlsServer(Serving(leaf, staples=[None, staple])) as late:
        without, second_time = await asyncio.gather(
            scan_target(light_request("127.0.0.1", never.port), tools),
            scan_target(light_request("127.0.0.1", late.port), tools),
        )
    assert without.staple is not None
    assert without.staple.present is False
    assert second_time.staple is not None
    assert second_time.staple.present is True
    assert (never.accepted, late.accepted) == (2, 2)


async def test_without_an_ocsp_url_one_question_is_enough(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert snapshot.staple is not None
    assert snapshot.staple.present is False
    assert server.accepted == 1


async def test_the_server_is_told_the_name_but_never_an_address(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        await scan_target(light_request("127.0.0.1", server.port), tools)
        await scan_target(light_request("a.test", server.port, address="127.0.0.1"), tools)
        await scan_target(light_request("a.test", server.port, address="127.0.0.1", sni="b.test"), tools)
        await scan_target(light_request("127.0.0.1", server.port, sni="c.test"), tools)
        await tools.close()
    assert server.server_names == [None, b"a.test", b"b.test", b"c.test"]


async def test_every_connection_is_closed_cleanly(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        for _ in range(5):
            await scan_target(light_request("127.0.0.1", server.port), tools)
        await tools.close()
    assert (server.completed, server.clean_closes, server.errors) == (5, 5, [])


async def test_names_beside_the_asked_one_are_there_for_the_grader(tools: Tools, authority: pki.Authority) -> None:
    snapshot = await scan(tools, Serving(authority.leaf("*.example.test", "127.0.0.1")))
    leaf = snapshot.chain[0]
    assert matches_name("www.example.test", dns_names=leaf.san, ip_addresses=leaf.san_ip)
    assert matches_name("127.0.0.1", dns_names=leaf.san, ip_addresses=leaf.san_ip)


async def test_a_chain_of_151_certificates_is_listed_in_part(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("a.test")
    long = [leaf.certificate, *[authority.root.certificate] * 150]
    snapshot = await scan(tools, Serving(leaf, chain=long))
    assert (snapshot.outcome, snapshot.chain_count, len(snapshot.chain)) == (Outcome.OK, 151, 32)


async def test_http_protocols_are_offered_on_ports_that_look_like_https(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("a.test")
    with TlsServer(Serving(leaf, alpn=[b"h2"]), port=https_like_port()) as server:
        offered = await scan_target(light_request("127.0.0.1", server.port), tools)
        server.serving = Serving(leaf, alpn=[b"imap"])
        no_overlap = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert (offered.outcome, offered.alpn) == (Outcome.OK, "h2")
    assert (no_overlap.outcome, no_overlap.alpn) == (Outcome.OK, None)


async def test_a_server_that_insists_on_another_protocol_is_asked_without(
    tools: Tools, authority: pki.Authority
) -> None:
    picky = Serving(authority.leaf("a.test"), alpn=[b"imap"], refuse_unknown_alpn=True)
    with TlsServer(picky, port=https_like_port()) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert (snapshot.outcome, snapshot.alpn, server.accepted) == (Outcome.OK, None, 2)


async def test_one_slow_peer_holds_up_nobody(tools: Tools, authority: pki.Authority) -> None:
    tools.courtesy = Courtesy(per_address=200)  # both are at the same address, which is a question of its own
    with HostileServer([Wait()]) as tarpit, TlsServer(Serving(authority.leaf("a.test"))) as server:
        slow = [asyncio.create_task(scan_target(light_request("127.0.0.1", tarpit.port), tools)) for _ in range(100)]
        await asyncio.sleep(0.2)
        quick = await scan_target(light_request("127.0.0.1", server.port), tools)
        assert not any(task.done() for task in slow)
        assert quick.outcome is Outcome.OK
        outcomes = {snapshot.outcome for snapshot in await asyncio.gather(*slow)}
    assert outcomes == {Outcome.TLS_TIMEOUT}
