"""Probes for known holes against servers that have them, servers that do not, and servers that do not say."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from services.scanner.courtesy import Courtesy
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from services.scanner.vulnerabilities import CONNECTIONS_MAX, Examination, Probes
from tests.fakes import vulnerable_server as fake
from tests.fakes.foreign_servers import openssl_server, tlslite_server
from tests.fakes.library_servers import gnutls_server
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.relay import Relay
from tests.fakes.scan_requests import full_request
from tests.fakes.vulnerable_server import VulnerableServer
from tests.fakes.web_servers import haproxy, nginx
from tests.integration.scanner.examining import (
    CCS,
    ECDHE,
    HEARTBLEED,
    MODERN,
    NONE,
    ROBOT,
    STATIC,
    TICKETBLEED,
    examine,
    exposure,
    posture,
)
from vigilo.events.posture import Exposure, Support


@pytest.fixture(scope="session")
def rsa_leaf(authority: Authority) -> Issued:
    return authority.leaf("a.test", options=Options(key=rsa_key(2048)))


Behaviour = Callable[[VulnerableServer, socket.socket, fake.Reader], None]


@pytest.mark.parametrize(
    ("behave", "expected", "words"),
    [
        (fake.heartbleed, Exposure.VULNERABLE, "sent 17 bytes back for a heartbeat of 16"),
        (fake.fixed_heartbeats, Exposure.SAFE, "drops heartbeats"),
        (fake.heartbeats_without_padding, Exposure.SAFE, "drops heartbeats"),
        (fake.closing, Exposure.SAFE, "drops heartbeats"),
        (fake.silent, Exposure.UNKNOWN, "did not answer in time"),
        (fake.resetting, Exposure.UNKNOWN, "cut the connection"),
    ],
)
async def test_heartbleed(tools: Tools, rsa_leaf: Issued, behave: Behaviour, expected: Exposure, words: str) -> None:
    with VulnerableServer(rsa_leaf, behave, heartbeat=True) as server:
        found = await examine(server.port, tools, Probes(ccs=False, ticketbleed=False, robot=False))
        assert exposure(found, HEARTBLEED)[0] is expected
        assert words in exposure(found, HEARTBLEED)[1]
        assert server.accepted == 1
        assert server.overread <= 1


async def test_a_server_without_heartbeats_is_sent_none(tools: Tools, rsa_leaf: Issued) -> None:
    with VulnerableServer(rsa_leaf, fake.heartbleed) as server:
        found = await examine(server.port, tools, Probes(ccs=False, ticketbleed=False, robot=False))
    assert exposure(found, HEARTBLEED) == (Exposure.SAFE, "does not offer heartbeats")
    assert server.overread == 0


@pytest.mark.parametrize(
    ("behave", "expected", "words"),
    [
        (fake.early_ccs(20), Exposure.VULNERABLE, "took a ChangeCipherSpec before any key"),
        (fake.early_ccs(21), Exposure.VULNERABLE, "decryption_failed"),
        (fake.early_ccs(10), Exposure.SAFE, "unexpected_message"),
        (fake.answering(10), Exposure.SAFE, "unexpected_message"),
        (fake.closing, Exposure.SAFE, "closes"),
        (fake.silent, Exposure.UNKNOWN, "did not answer in time"),
        (fake.resetting, Exposure.UNKNOWN, "cut the connection"),
    ],
)
async def test_ccs_injection(tools: Tools, rsa_leaf: Issued, behave: Behaviour, expected: Exposure, words: str) -> None:
    with VulnerableServer(rsa_leaf, behave) as server:
        found = await examine(server.port, tools, Probes(ticketbleed=False, robot=False))
        assert exposure(found, CCS)[0] is expected
        assert words in exposure(found, CCS)[1]
        assert exposure(found, HEARTBLEED)[1] == "does not offer heartbeats"
        assert server.accepted == 1


PADDINGS = {"good": 20, "bad": 51}


@pytest.mark.parametrize(
    ("paddings", "expected", "words"),
    [
        ({"good": 20, "bad": 51}, Exposure.VULNERABLE, "the alert bad_record_mac or the alert decrypt_error"),
        ({"good": 40, "bad": 47}, Exposure.VULNERABLE, "illegal_parameter"),
        ({"good": 20, "bad": 20}, Exposure.SAFE, "alike, with the alert bad_record_mac"),
    ],
)
async def test_robot(tools: Tools, rsa_leaf: Issued, paddings: dict[str, int], expected: Exposure, words: str) -> None:
    with VulnerableServer(rsa_leaf, fake.oracle(paddings, leaf=rsa_leaf)) as server:
        found = await examine(server.port, tools, Probes(heartbleed=False, ccs=False, ticketbleed=False))
        assert exposure(found, ROBOT)[0] is expected
        assert words in exposure(found, ROBOT)[1]
        assert server.accepted == (5 if expected is Exposure.SAFE else 10)


async def test_a_difference_is_asked_about_in_full_whatever_else_there_is(tools: Tools, rsa_leaf: Issued) -> None:
    """All five twice; the others get what is left of the eleven."""
    everything = posture(STATIC, tickets=Support.ACCEPTED)
    with VulnerableServer(rsa_leaf, fake.oracle(PADDINGS, leaf=rsa_leaf), heartbeat=True) as server:
        found = await examine(server.port, tools, Probes(), known=everything)
        assert server.accepted == CONNECTIONS_MAX
    assert exposure(found, ROBOT)[0] is Exposure.VULNERABLE
    for hole in (HEARTBLEED, TICKETBLEED):
        assert exposure(found, hole) == (Exposure.UNKNOWN, "was not asked: enough connections")


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (fake.moody, "several servers behind one address?"),
        (fake.silent, "did not answer in time"),
        (fake.resetting, "cut the connection"),
    ],
)
async def test_robot_is_not_read_into_the_weather(
    tools: Tools, rsa_leaf: Issued, behave: Behaviour, words: str
) -> None:
    with VulnerableServer(rsa_leaf, behave) as server:
        found = await examine(server.port, tools, Probes(heartbleed=False, ccs=False, ticketbleed=False))
    assert exposure(found, ROBOT)[0] is Exposure.UNKNOWN
    assert words in exposure(found, ROBOT)[1]


async def test_ticketbleed(tools: Tools, rsa_leaf: Issued, tmp_path: Path) -> None:
    """The same server with and without BIG-IP's fault before it."""
    only, known = Probes(heartbleed=False, ccs=False, robot=False), posture(ECDHE, tickets=Support.ACCEPTED)
    with openssl_server(rsa_leaf, tmp_path, "-tls1_2") as port, fake.ticketbleed(port) as bleeding:
        safe = await examine(port, tools, only, known=known)
        assert exposure(safe, TICKETBLEED) == (Exposure.SAFE, "echoes a session id as long as it was")
        found = await examine(bleeding, tools, only, known=known)
        assert exposure(found, TICKETBLEED) == (
            Exposure.VULNERABLE,
            "echoed a session id of 31 bytes as one of 32",
        )
        assert found.connections == 32
    with openssl_server(rsa_leaf, tmp_path, "-tls1_2", "-no_ticket") as port:
        found = await examine(port, tools, only, known=known)
        assert exposure(found, TICKETBLEED) == (Exposure.UNKNOWN, "gave out no ticket after all")


@pytest.mark.parametrize("behave", [fake.silent, fake.resetting, fake.closing, fake.answering(40)])
async def test_ticketbleed_without_a_handshake_is_unknown(tools: Tools, rsa_leaf: Issued, behave: Behaviour) -> None:
    only, known = Probes(heartbleed=False, ccs=False, robot=False), posture(STATIC, tickets=Support.ACCEPTED)
    with VulnerableServer(rsa_leaf, behave) as server:
        found = await examine(server.port, tools, only, known=known)
    assert exposure(found, TICKETBLEED)[0] is Exposure.UNKNOWN


async def test_the_servers_of_today_are_safe(tools: Tools, rsa_leaf: Issued, tmp_path: Path) -> None:
    known = posture(ECDHE, STATIC, tickets=Support.ACCEPTED)
    with openssl_server(rsa_leaf, tmp_path, "-cipher", "ALL:@SECLEVEL=0") as port, Relay(port) as relay:
        found = await examine(relay.port, tools, Probes(), known=known)
        assert relay.accepted == found.connections - 30 == 8
    assert {one.name: one.exposure for one in found.vulnerabilities} == dict.fromkeys(
        (HEARTBLEED, CCS, TICKETBLEED, ROBOT), Exposure.SAFE
    )


async def test_tlslite_has_heartbeats_and_no_hole(tools: Tools, rsa_leaf: Issued) -> None:
    known = posture("TLS_RSA_WITH_3DES_EDE_CBC_SHA")
    with tlslite_server(rsa_leaf, ciphers=("3des",), key_exchanges=("rsa",)) as port:
        found = await examine(port, tools, Probes(), known=known)
    assert exposure(found, CCS)[0] is Exposure.SAFE
    assert exposure(found, HEARTBLEED)[0] is Exposure.SAFE
    assert exposure(found, ROBOT)[0] is Exposure.SAFE


async def test_never_more_than_eleven_connections_and_never_the_memory_of_others(
    tools: Tools, rsa_leaf: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    everything = posture(STATIC, tickets=Support.ACCEPTED)
    for behave in (fake.bleeding_always, fake.heartbleed, fake.moody):
        with VulnerableServer(rsa_leaf, behave, heartbeat=True) as server:
            found = await examine(server.port, tools, Probes(), known=everything)
            assert server.accepted <= CONNECTIONS_MAX
        said = found.model_dump_json() + caplog.text
        assert "password" not in said
        assert fake.SECRET[:4].decode() not in said


async def test_only_what_is_possible_is_asked(tools: Tools) -> None:
    """Nothing listens here: whatever is said was known before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    modern = await examine(port, tools, Probes(), known=posture())
    assert {one.exposure for one in modern.vulnerabilities} == {Exposure.SAFE}
    throttled = await examine(port, tools, Probes(), known=posture(STATIC, throttled=True))
    assert {one.exposure for one in throttled.vulnerabilities} == {Exposure.UNKNOWN}
    assert tools.connections == 0
    nobody = await examine(port, tools, Probes(), known=posture(STATIC))
    assert {one.exposure for one in nobody.vulnerabilities if one.name != TICKETBLEED} == {Exposure.UNKNOWN}
    switched_off = await examine(port, tools, NONE)
    assert switched_off.vulnerabilities == ()
    assert switched_off.connections == 30


async def test_whatever_was_answered_means_nothing_once_the_server_stops_answering(tools: Tools) -> None:
    """They are asked about while the enumeration still goes on: its closing probe comes later."""
    examination = Examination(posture(), Probes(), refuse_to_open, tools.part_from, None, 0.0)
    before = await examination.run()
    assert {one.exposure for one in before.vulnerabilities} == {Exposure.SAFE}
    after = examination.conclude(posture(throttled=True))
    assert [one.evidence for one in after.vulnerabilities] == ["had stopped answering"] * 4
    assert {one.exposure for one in after.vulnerabilities} == {Exposure.UNKNOWN}


async def refuse_to_open() -> socket.socket:
    raise AssertionError("nothing is to be asked")


async def test_when_time_is_up_nothing_is_asked(tools: Tools, rsa_leaf: Issued) -> None:
    with VulnerableServer(rsa_leaf, fake.silent) as server:
        found = await examine(server.port, tools, Probes(), seconds=0.0)
        assert server.accepted == 0
    assert exposure(found, CCS) == (Exposure.UNKNOWN, "was not asked: time was up")


async def test_a_full_scan_of_a_modern_server_asks_and_stays_within_56_connections(
    authority: Authority, tools: Tools, tmp_path: Path
) -> None:
    options = ("-min_protocol", "TLSv1.2", "-cipher", MODERN)
    with openssl_server(authority.leaf("a.test"), tmp_path, *options) as port, Relay(port) as relay:
        snapshot = await scan_target(full_request("127.0.0.1", relay.port), tools)
        assert relay.accepted <= 56
        assert relay.accepted == tools.connections
    assert snapshot.posture is not None
    assert {one.name: one.exposure for one in snapshot.posture.vulnerabilities} == dict.fromkeys(
        (HEARTBLEED, CCS, TICKETBLEED, ROBOT), Exposure.SAFE
    )


async def test_nobody_is_slandered(authority: Authority, rsa_leaf: Issued, tools: Tools, tmp_path: Path) -> None:
    """nginx in all its configurations, haproxy and GnuTLS: servers of today have none of these holes."""
    ecdsa, folders = authority.leaf("a.test"), [tmp_path / name for name in ("nginx", "haproxy", "gnutls")]
    for folder in folders:
        folder.mkdir()
    with (
        nginx(rsa_leaf, ecdsa, folders[0]) as sites,
        haproxy(rsa_leaf, folders[1]) as binds,
        gnutls_server(rsa_leaf, folders[2], "NORMAL:+VERS-TLS1.1") as gnutls,
    ):
        ports = {**sites, **binds, "gnutls": gnutls}
        tools.courtesy = Courtesy(per_address=40, probes_per_address=40)
        snapshots = await asyncio.gather(
            *(scan_target(full_request("127.0.0.1", port), tools) for port in ports.values())
        )
    for name, snapshot in zip(ports, snapshots, strict=True):
        assert snapshot.posture is not None
        found = {one.name: (one.exposure, one.evidence) for one in snapshot.posture.vulnerabilities}
        assert set(found) == {HEARTBLEED, CCS, TICKETBLEED, ROBOT}, name
        unclear = {hole: said for hole, said in found.items() if said[0] is not Exposure.SAFE}
        assert unclear == {}, name
