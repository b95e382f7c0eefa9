"""What an enumeration makes of peers that lie, hurry or wait; test_hostile_peers.py has the whole list of them."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from services.scanner.enumerating import AT_ONCE, Endpoint, Enumeration
from services.scanner.tools import Tools
from tests.fakes.hostile_server import Hear, HostileServer, Leave, Say, Wait, alert
from tests.fakes.pki import Authority
from tests.fakes.relay import Ban, Relay
from tests.fakes.slow_link import slow_link
from tests.fakes.tls_bytes import hello_record, retry_record, ssl2_hello
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.posture import Posture, Support

HELLO = hello_record(0x0303, 0xC02F)
HANG = 5.0  # an enumeration has 3 seconds in these tests

ALWAYS_ALERT = {"handshake_failure": 40, "protocol_version": 70, "internal_error": 80, "no alert we know": 200}


async def enumerate_port(port: int, tools: Tools, *, seconds: float = 3.0) -> Posture:
    endpoint = Endpoint(ip_address("127.0.0.1"), port, "a.test", alpn=True)
    deadline = asyncio.get_running_loop().time() + seconds
    enumeration = Enumeration(
        endpoint, deadline, part_from=tools.part_from, opened=tools.count_connection, probe_seconds=0.4
    )
    async with asyncio.timeout(HANG):
        return await enumeration.run(known_good=False)


@pytest.mark.parametrize("number", ALWAYS_ALERT.values(), ids=ALWAYS_ALERT)
async def test_alerts_reject(tools: Tools, number: int) -> None:
    with HostileServer([Hear(), Say(alert(number)), Leave()]) as server:
        posture = await enumerate_port(server.port, tools)
        assert server.accepted <= 40
    assert len(posture.supporting(Support.REJECTED)) == 6


async def test_the_same_suite_for_ever_is_not_taken_for_more_than_one(tools: Tools) -> None:
    """A server that answers every hello alike: once a suite is struck, its choice was not offered."""
    with HostileServer([Hear(), Say(HELLO), Wait()]) as server:
        posture = await enumerate_port(server.port, tools)
        assert server.accepted <= 60
    tls12 = next(one for one in posture.versions if one.version == "TLSv1.2")
    assert tls12.suites in {(), ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",)}
    assert not tls12.complete
    assert posture.groups is None


async def test_a_retry_loop_is_cut(tools: Tools) -> None:
    with HostileServer([Hear(), Say(retry_record(0x1301, 29) * 20), Wait()]) as server:
        posture = await enumerate_port(server.port, tools)
        assert server.accepted <= 60
    tls13 = next(one for one in posture.versions if one.version == "TLSv1.3")
    assert (tls13.suites, tls13.complete) == (("TLS_AES_128_GCM_SHA256",), False)


async def test_ssl2_is_recognised(tools: Tools) -> None:
    with HostileServer([Hear(), Say(ssl2_hello((0x0700C0,))), Wait()]) as server:
        posture = await enumerate_port(server.port, tools)
    assert posture.supporting(Support.ACCEPTED) == ("SSLv2",)


async def test_a_server_that_takes_too_long_leaves_the_rest_unknown(authority: Authority, tools: Tools) -> None:
    """Time is up in the middle: what was found stands, the rest is unknown, and nobody is called throttled."""
    serving = Serving(authority.leaf("a.test"))
    with TlsServer(serving) as server, slow_link(server.port, round_trip_seconds=0.1) as far:
        posture = await enumerate_port(far, tools, seconds=1.6)
    assert not posture.throttled
    assert "TLSv1.2" in posture.supporting(Support.ACCEPTED)
    assert not next(one for one in posture.versions if one.version == "TLSv1.2").complete
    assert "stopped before all was asked: time was up" in posture.notes


@pytest.mark.parametrize("ban", Ban)
@pytest.mark.parametrize("after", [6, 20])
async def test_whoever_bans_us_is_left_alone(authority: Authority, tools: Tools, ban: Ban, after: int) -> None:
    """Five are in flight when it happens, five may hear of it too late, and two ask whether it is so."""
    with TlsServer(Serving(authority.leaf("a.test"))) as server, Relay(server.port, after, ban) as relay:
        posture = await enumerate_port(relay.port, tools)
    assert after < tools.connections <= after + 15
    assert posture.throttled
    assert posture.supporting(Support.REJECTED) == ()
    assert "stopped before all was asked: the server had stopped answering" in posture.notes


async def test_five_connections_at_a_time(tools: Tools) -> None:
    with HostileServer([Wait()]) as server:
        looking = asyncio.create_task(enumerate_port(server.port, tools))
        await asyncio.sleep(0.2)  # half of a probe's time
        assert server.accepted == AT_ONCE == 5
        await looking


async def test_nobody_there(tools: Tools) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    posture = await enumerate_port(port, tools)
    assert posture.supporting(Support.UNKNOWN) == tuple(one.version for one in posture.versions)
    assert posture.connections <= 20
