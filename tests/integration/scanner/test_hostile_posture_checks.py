"""Whatever a peer does meanwhile, a posture check ends by its deadline and never calls changed servers the same."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from services.scanner.asking import Endpoint
from services.scanner.checking import Checking
from services.scanner.tools import Tools
from tests.fakes.hostile_server import Hear, HostileServer, Leave, Say, Step, Wait, alert
from tests.fakes.model_server import enumerate_model
from tests.fakes.model_servers import MODELS
from tests.fakes.tls_bytes import hello_record, record
from vigilo.tls.posture.check import Sameness, Verdict
from vigilo.tls.posture.recheck import CONNECTIONS_MAX

KNOWN = enumerate_model(MODELS["intermediate"])
HANG = 5.0  # a check has 2 seconds in these tests

HOSTILE: dict[str, tuple[list[Step], Sameness]] = {
    "silence": ([Wait()], Sameness.THROTTLED),
    "silence after the hello": ([Hear(), Wait()], Sameness.THROTTLED),
    "drips": ([Hear(), Say(hello_record(0x0303, 0xC02F)[:40], every=0.05)], Sameness.THROTTLED),
    "leaves at once": ([Leave()], Sameness.DIFFERENT),
    "resets after the hello": ([Hear(), Leave("rst")], Sameness.DIFFERENT),
    "garbage": ([Hear(), Say(bytes(range(256)) * 16), Leave()], Sameness.DIFFERENT),
    "handshake_failure": ([Hear(), Say(alert(40)), Leave()], Sameness.DIFFERENT),
    "a banner without end": ([Say(b"220-hello\r\n" * 100, every=0.001)], Sameness.DIFFERENT),
    "warnings without end": ([Hear(), Say(alert(112, level=1) * 2000), Wait()], Sameness.DIFFERENT),
    "a suite never offered": ([Hear(), Say(hello_record(0x0303, 0xFFFD)), Wait()], Sameness.DIFFERENT),
    "application data": ([Hear(), Say(record(23, bytes(200))), Wait()], Sameness.DIFFERENT),
}


async def check_port(port: int, tools: Tools) -> tuple[Verdict, Checking]:
    endpoint = Endpoint(ip_address("127.0.0.1"), port, "a.test", alpn=False)
    deadline = asyncio.get_running_loop().time() + 2.0
    checking = Checking(endpoint, deadline, part_from=tools.part_from, opened=tools.count_connection, probe_seconds=0.4)
    async with asyncio.timeout(HANG):
        return await checking.run(KNOWN, seed="1"), checking


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_check_ends_and_is_never_the_same(tools: Tools, name: str) -> None:
    steps, expected = HOSTILE[name]
    with HostileServer(steps) as server:
        verdict, checking = await check_port(server.port, tools)
        assert server.accepted <= CONNECTIONS_MAX + 1
    assert verdict.sameness is expected
    assert verdict.what
    assert checking.connections == 1  # the opening said it all


async def test_nobody_there(tools: Tools) -> None:
    with HostileServer([Wait()]) as server:
        port = server.port
    verdict, _ = await check_port(port, tools)
    assert verdict.sameness is Sameness.THROTTLED
