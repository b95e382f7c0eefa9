"""Every way a scan can end badly has an outcome of its own and a detail that names the step."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from OpenSSL import SSL

from services.scanner.dns_servers import DnsResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.dns_server import Answer, DnsServer
from tests.fakes.hostile_server import Hear, HostileServer, Leave, Say, Step, Wait, alert, black_hole
from tests.fakes.scan_requests import light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.adapters.egress import ScanEgress, parse_listeners, parse_networks
from vigilo.events.handshakes import ReadBy
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Lane, Outcome

SERVER_HELLO_BEGINS = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\nThe plain HTTP request was sent to HTTPS port"


@pytest.mark.parametrize(
    ("script", "outcome", "words"),
    [
        ([Hear(), Say(HTTP), Leave()], Outcome.NOT_TLS, "not TLS but HTTP: HTTP/1.1 400 Bad Request"),
        ([Say(b"220 mail.test ESMTP\r\n"), Wait()], Outcome.NOT_TLS, "not TLS but SMTP: 220 mail.test ESMTP"),
        ([Say(b"220-a.test\r\n220 ready"), Wait()], Outcome.NOT_TLS, "SMTP or FTP: 220-a.test"),
        ([Say(b"* OK IMAP4rev1\r\n"), Wait()], Outcome.NOT_TLS, "IMAP"),
        ([Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Wait()], Outcome.NOT_TLS, "SSH"),
        ([Say(b"\x4a\x00\x00\x00\x0a8.0.36\x00"), Wait()], Outcome.NOT_TLS, "MySQL"),
        ([Say(b"\x1b[31mred\x00\xff\n"), Wait()], Outcome.NOT_TLS, "not TLS: the server sent"),
        ([Hear(), Say(b"\x16\x04\x01\x00\x00"), Wait()], Outcome.NOT_TLS, "not TLS"),
        ([Leave("fin")], Outcome.CLOSED, "before its first byte"),
        ([Hear(), Leave("fin")], Outcome.CLOSED, "before its first byte"),
        ([Hear(), Leave("rst")], Outcome.RESET, "before its first byte"),
        ([Hear(), Say(SERVER_HELLO_BEGINS), Leave("fin")], Outcome.CLOSED, "after 11 bytes"),
        ([Hear(), Say(SERVER_HELLO_BEGINS), Wait(0.3), Leave("rst")], Outcome.RESET, "after 11 bytes"),
        ([Hear(), Say(alert(40)), Leave()], Outcome.TLS_ALERT, "handshake_failure"),
        ([Hear(), Say(alert(70)), Leave()], Outcome.TLS_ALERT, "protocol_version"),
        ([Hear(), Say(alert(112)), Leave("rst")], Outcome.TLS_ALERT, "unrecognized_name"),
        ([Hear(), Say(alert(200)), Leave()], Outcome.TLS_ALERT, "alert 200"),
        ([Hear(), Say(b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), Wait()], Outcome.TLS_FAILURE, "unexpected message"),
        ([Hear(), Say(b"\x16\x03\x03\xff\xff" + bytes(70000)), Wait()], Outcome.TLS_FAILURE, "our TLS library"),
    ],
)
async def test_hostile_peers(tools: Tools, script: list[Step], outcome: Outcome, words: str) -> None:
    with HostileServer(script) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.TLS), tools)
        assert (snapshot.outcome, snapshot.addresses[0].outcome) == (outcome, outcome)
        assert words in (snapshot.detail or "")
        assert (snapshot.detail or "").isprintable()
        assert snapshot.chain == ()
        assert server.accepted <= 4  # hellos of our own, where ours may be what was refused


async def test_silence_and_drips_end_at_the_deadline_of_the_scan(tools: Tools) -> None:
    scripts: list[list[Step]] = [
        [Wait()],
        [Hear(), Wait()],
        [Hear(), Say(SERVER_HELLO_BEGINS), Wait()],
        [Hear(), Say(b"\x16\x03\x03", every=0.4)],
    ]
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(HostileServer(script)).port for script in scripts]
        snapshots = await asyncio.gather(*(scan_target(light_request("127.0.0.1", port), tools) for port in ports))
    for snapshot in snapshots:
        assert snapshot.outcome is Outcome.TLS_TIMEOUT
        assert "fell silent" in (snapshot.detail or "")
        assert snapshot.duration_ms is not None
        assert 3900 <= snapshot.duration_ms < 4900


async def test_an_endless_handshake_is_cut_off(tools: Tools) -> None:
    # Handshake records of a type that may come again and again: HelloRequest (RFC 5246 section 7.4.1.1).
    record = b"\x16\x03\x03\x40\x00" + bytes(0x4000)
    with HostileServer([Hear(), Say(record * 200), Wait()]) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert snapshot.outcome is Outcome.TLS_FAILURE


async def test_nobody_listens(tools: Tools) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    snapshot = await scan_target(light_request("127.0.0.1", port), tools)
    assert (snapshot.outcome, snapshot.address) == (Outcome.REFUSED, "127.0.0.1")
    assert "connection refused" in (snapshot.detail or "")


async def test_a_black_hole_ends_after_the_connect_deadline(tools: Tools) -> None:
    with black_hole() as port:
        snapshot = await scan_target(light_request("127.0.0.1", port), tools)
    assert snapshot.outcome is Outcome.CONNECT_TIMEOUT
    assert snapshot.duration_ms is not None
    assert 2900 <= snapshot.duration_ms < 3900


async def test_a_version_too_old_is_the_servers_alert_or_our_refusal(tools: Tools) -> None:
    # A ServerHello that chooses SSL 3.0, which our library has no more.
    hello = b"\x02\x00\x00\x26\x03\x00" + bytes(32) + b"\x00\x00\x0a\x00"
    record = b"\x16\x03\x00" + len(hello).to_bytes(2, "big") + hello
    with HostileServer([Hear(), Say(record), Wait()]) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert snapshot.outcome is Outcome.TLS_FAILURE
    assert "our TLS library ended the handshake" in (snapshot.detail or "")


async def test_no_common_cipher(tools: Tools, authority: pki.Authority) -> None:
    anonymous = Serving(authority.leaf("a.test"), newest=SSL.TLS1_2_VERSION, ciphers=b"aNULL:@SECLEVEL=0")
    with TlsServer(anonymous) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert (snapshot.outcome, "handshake_failure" in (snapshot.detail or "")) == (Outcome.TLS_ALERT, True)


async def test_denied_addresses_are_never_connected_to(tools: Tools) -> None:
    with HostileServer([Hear()]) as server:
        for egress, words in (
            (ScanEgress(), "private address"),
            (ScanEgress(tools.egress.pool_allow_cidrs, parse_listeners([f"127.0.0.1:{server.port}"])), "own listeners"),
        ):
            denied = Tools(resolver=tools.resolver, egress=egress, name="test")
            snapshot = await scan_target(light_request("127.0.0.1", server.port), denied)
            assert snapshot.outcome is Outcome.DENIED
            assert words in (snapshot.detail or "")
        metadata = await scan_target(light_request("169.254.169.254", 80), tools)
        assert metadata.outcome is Outcome.DENIED
        assert server.accepted == 0


async def test_a_name_that_leads_to_a_denied_address_is_denied(tools: Tools) -> None:
    names = {"rebind.test": Answer(a=["169.254.169.254", "0.0.0.0"], aaaa=["::ffff:169.254.169.254"])}
    with DnsServer(names) as dns:
        asking = Tools(resolver=DnsResolver([dns.address]), egress=tools.egress, name="test")
        snapshot = await scan_target(light_request("rebind.test", 443), asking)
    assert snapshot.outcome is Outcome.DENIED
    assert {one.outcome for one in snapshot.addresses} == {Outcome.DENIED}


@pytest.mark.parametrize("hostname", ["https://a.test", "a b", "a\x00b", "xn--zzzzzz99999999", "127.1"])
async def test_what_is_no_hostname_is_never_asked_for(tools: Tools, hostname: str) -> None:
    snapshot = await scan_target(light_request(hostname, 443), tools)
    assert snapshot.outcome is Outcome.NAME_NOT_FOUND
    assert "no hostname" in (snapshot.detail or "")


async def test_the_private_network_of_a_pool_only(tools: Tools, authority: pki.Authority) -> None:
    egress = ScanEgress(parse_networks(["127.0.0.0/8"]))
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        allowed = Tools(resolver=tools.resolver, egress=egress, name="test")
        assert (
            await scan_target(light_request("127.0.0.1", server.port, lane=Lane.SLOW), allowed)
        ).outcome is Outcome.OK
        assert (await scan_target(light_request("::1", server.port), allowed)).outcome is Outcome.DENIED
        await allowed.close()


async def test_a_certificate_message_over_our_librarys_limit_is_read_by_ourselves(
    tools: Tools, authority: pki.Authority
) -> None:
    leaf = authority.leaf("a.test")
    with TlsServer(Serving(leaf, chain=[leaf.certificate, *[authority.root.certificate] * 300])) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
    assert (snapshot.outcome, snapshot.read_by, snapshot.chain_count) == (Outcome.OK, ReadBy.OWN, 301)
