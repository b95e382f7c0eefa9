"""TLS behind a dialogue: every protocol, by setting, port, memory and banner; refused, slow, endless, injected into."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes import starttls_server as fake
from tests.fakes.hostile_server import Hear, HostileServer, Leave, Step, Wait, alert
from tests.fakes.hostile_server import Say as SayRaw
from tests.fakes.scan_requests import light_request
from tests.fakes.starttls_server import StarttlsServer
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.hosts import Protocol
from vigilo.events.ids import new_id
from vigilo.events.scans import Baseline, Outcome, Snapshot
from vigilo.tls.starttls import protocols

EVERY = {
    Protocol.SMTP: (fake.SMTP, b"QUIT\r\n"),
    Protocol.IMAP: (fake.IMAP, b"a3 LOGOUT\r\n"),
    Protocol.POP3: (fake.POP3, b"QUIT\r\n"),
    Protocol.FTP: (fake.FTP, b"QUIT\r\n"),
    Protocol.LDAP: (fake.LDAP, b"\x30\x05\x02\x01\x02\x42\x00"),
    Protocol.XMPP: (fake.XMPP, b"</stream:stream>"),
    Protocol.POSTGRESQL: (fake.POSTGRESQL, b""),
    Protocol.MYSQL: (fake.MYSQL, b""),
}


def baseline(protocol: Protocol) -> Baseline:
    request = light_request()
    return Baseline(scan_id=new_id(), requested_at=request.requested_at, detected_protocol=protocol)


@pytest.fixture
def serving(authority: pki.Authority) -> Serving:
    return Serving(authority.leaf("mail.test"))


def assert_well(snapshot: Snapshot, protocol: Protocol) -> None:
    assert (snapshot.outcome, snapshot.detail) == (Outcome.OK, None)
    assert (snapshot.protocol, snapshot.tls_version, snapshot.chain_count) == (protocol, "TLSv1.3", 2)
    assert snapshot.starttls is not None
    assert snapshot.starttls.early_bytes == 0
    assert snapshot.hsts is None


@pytest.mark.parametrize("protocol", EVERY)
async def test_every_protocol_by_the_hosts_setting(tools: Tools, serving: Serving, protocol: Protocol) -> None:
    dialogue, goodbye = EVERY[protocol]
    with StarttlsServer(serving, dialogue=dialogue, answer=b"bye\r\n") as server:
        request = light_request("mail.test", server.port, address="127.0.0.1", protocol=protocol)
        snapshot = await scan_target(request, tools)
        await tools.close()
        assert_well(snapshot, protocol)
        assert (server.accepted, server.completed, server.clean_closes, server.errors) == (1, 1, 1, [])
        assert server.server_names == [b"mail.test"]
        assert server.heard_inside[0].endswith(goodbye)
        assert bool(server.heard_inside[0]) == bool(goodbye)


async def test_mail_servers_are_told_our_address_or_name(tools: Tools, serving: Serving) -> None:
    with StarttlsServer(serving, dialogue=fake.SMTP) as server:
        await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        tools.ehlo_name = "scanner.example.com"
        await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        await tools.close()
    assert server.heard_before[0].startswith(b"EHLO [127.0.0.1]\r\n")
    assert server.heard_before[1].startswith(b"EHLO scanner.example.com\r\n")


async def test_xmpp_asks_for_the_domain_of_the_host(tools: Tools, serving: Serving) -> None:
    with StarttlsServer(serving, dialogue=fake.XMPP) as server:
        request = light_request("x1.test", server.port, address="127.0.0.1", sni="chat.test", protocol=Protocol.XMPP)
        assert_well(await scan_target(request, tools), Protocol.XMPP)
    assert b"to='chat.test'" in server.heard_before[0]


@pytest.mark.parametrize("protocol", [Protocol.SMTP, Protocol.IMAP, Protocol.POP3, Protocol.FTP, Protocol.MYSQL])
async def test_a_banner_where_tls_was_expected_is_answered_in_the_same_scan(
    tools: Tools, serving: Serving, protocol: Protocol
) -> None:
    with StarttlsServer(serving, dialogue=EVERY[protocol][0]) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
        assert_well(snapshot, protocol)
        again = await scan_target(light_request("127.0.0.1", server.port, baseline=baseline(protocol)), tools)
        assert_well(again, protocol)
        await tools.close()
        assert (server.accepted, server.completed) == (3, 2)


async def test_what_was_spoken_last_time_may_have_changed(tools: Tools, serving: Serving) -> None:
    with TlsServer(serving) as direct, StarttlsServer(serving, dialogue=fake.SMTP) as mail:
        for known in (Protocol.SMTP, Protocol.POSTGRESQL):
            snapshot = await scan_target(light_request("127.0.0.1", direct.port, baseline=baseline(known)), tools)
            assert (snapshot.outcome, snapshot.protocol, snapshot.starttls) == (Outcome.OK, Protocol.TLS, None)
        snapshot = await scan_target(light_request("127.0.0.1", mail.port, baseline=baseline(Protocol.TLS)), tools)
        assert_well(snapshot, Protocol.SMTP)


async def test_ports_choose_and_tls_spoken_there_is_used(
    tools: Tools, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        mail = stack.enter_context(StarttlsServer(serving, dialogue=fake.SMTP))
        direct = stack.enter_context(TlsServer(serving))
        database = stack.enter_context(TlsServer(serving))
        refusing = stack.enter_context(HostileServer([Hear(), SayRaw(alert(70)), Leave()]))
        ports = {
            mail.port: Protocol.SMTP,
            direct.port: Protocol.IMAP,
            database.port: Protocol.POSTGRESQL,
            refusing.port: Protocol.LDAP,
        }
        monkeypatch.setattr(protocols, "PORTS", ports)
        assert_well(await scan_target(light_request("127.0.0.1", mail.port), tools), Protocol.SMTP)
        assert mail.accepted == 1
        for server in (direct, database):
            snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
            assert (snapshot.outcome, snapshot.protocol) == (Outcome.OK, Protocol.TLS)
            assert snapshot.starttls is None
        snapshot = await scan_target(light_request("127.0.0.1", refusing.port), tools)
        assert snapshot.outcome is Outcome.TLS_ALERT
        assert refusing.accepted <= 5  # LDAP, TLS, and three hellos of our own


REFUSALS: list[tuple[Protocol, list[Step], Outcome, str]] = [
    (Protocol.SMTP, [SayRaw(b"421 4.7.0 too many connections\r\n"), Hear()], Outcome.THROTTLED, "421 4.7.0 too many"),
    (
        Protocol.SMTP,
        [
            SayRaw(b"220 a\r\n"),
            Hear(6),
            SayRaw(b"250-a\r\n250 STARTTLS\r\n"),
            Hear(28),
            SayRaw(b"454 no\r\n"),
            Hear(99),
        ],
        Outcome.STARTTLS_REFUSED,
        "smtp: STARTTLS was answered with 454 no",
    ),
    (Protocol.POP3, [SayRaw(b"+OK\r\n"), Hear(), SayRaw(b"-ERR\r\n"), Hear(99)], Outcome.STARTTLS_REFUSED, "-ERR"),
    (Protocol.POSTGRESQL, [Hear(8), SayRaw(b"N"), Leave()], Outcome.STARTTLS_REFUSED, "answered N"),
    (Protocol.SMTP, [SayRaw(b"SSH-2.0-x\r\n"), Hear()], Outcome.NOT_TLS, "not SMTP"),
    (Protocol.SMTP, [Leave()], Outcome.CLOSED, "before its first byte of smtp"),
    (Protocol.SMTP, [SayRaw(b"220-a\r\n"), Wait(0.2), Leave("rst")], Outcome.RESET, "in the smtp dialogue"),
    (Protocol.IMAP, [SayRaw(b"* OK " + b"a" * 70000), Wait()], Outcome.NOT_TLS, "no end of the dialogue"),
    (Protocol.SMTP, [SayRaw(b"220-a\r\n" * 20000), Wait()], Outcome.NOT_TLS, "no end of the dialogue"),
    (Protocol.POSTGRESQL, [Hear(8), SayRaw(b"S"), Hear(20), Leave()], Outcome.CLOSED, "after our ClientHello"),
]


@pytest.mark.parametrize(("protocol", "script", "outcome", "words"), REFUSALS)
async def test_refusals_have_outcomes_and_reasons(
    tools: Tools, protocol: Protocol, script: list[Step], outcome: Outcome, words: str
) -> None:
    with HostileServer(script) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port, protocol=protocol), tools)
        await tools.close()
        assert snapshot.outcome is outcome
        assert words in (snapshot.detail or "")
        assert (snapshot.protocol, server.accepted) == (None if script == [Leave()] else protocol, 1)
        if outcome is Outcome.STARTTLS_REFUSED and protocol is not Protocol.POSTGRESQL:
            assert server.heard[0].endswith(b"QUIT\r\n")


@pytest.mark.parametrize(
    "script", [[SayRaw(b"220-hello\r\n", every=0.3)], [Wait()], [SayRaw(b"220 a\r\n"), Hear(), Wait()]]
)
async def test_drips_and_silence_end_at_the_one_deadline(tools: Tools, script: list[Step]) -> None:
    with HostileServer(script) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
    assert (snapshot.outcome, server.accepted) == (Outcome.TLS_TIMEOUT, 1)
    assert snapshot.duration_ms is not None
    assert 3900 <= snapshot.duration_ms < 4900


async def test_bytes_between_the_go_ahead_and_tls_are_recorded_and_dropped(tools: Tools, serving: Serving) -> None:
    injected = (*fake.SMTP[:-1], fake.Say(b"220 go ahead\r\n250 injected\r\n"))
    with StarttlsServer(serving, dialogue=injected) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
    assert (snapshot.outcome, snapshot.chain_count) == (Outcome.OK, 2)
    assert snapshot.starttls is not None
    assert snapshot.starttls.early_bytes == len(b"250 injected\r\n")


async def test_direct_mail_ports_get_a_goodbye_after_their_greeting(
    tools: Tools, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StarttlsServer(serving, greeting=b"220 mx.test ESMTP\r\n", answer=b"221 bye\r\n") as server:
        monkeypatch.setattr(protocols, "DIRECT_PORTS", {server.port: Protocol.SMTP})
        snapshot = await scan_target(light_request("127.0.0.1", server.port), tools)
        await tools.close()
        assert (snapshot.outcome, snapshot.protocol, snapshot.starttls) == (Outcome.OK, Protocol.TLS, None)
        assert (server.heard_inside, server.clean_closes, server.accepted) == ([b"QUIT\r\n"], 1, 1)


async def test_a_missing_staple_is_asked_for_again_by_the_same_dialogue(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("mail.test", options=pki.Options(ocsp_url="http://ocsp.test/"))
    with StarttlsServer(Serving(leaf), dialogue=fake.IMAP) as server:
        snapshot = await scan_target(light_request("127.0.0.1", server.port, protocol=Protocol.IMAP), tools)
    assert snapshot.staple is not None
    await tools.close()
    assert (snapshot.staple.present, server.completed) == (False, 2)
