"""Whatever a peer does, at whatever depth: the scan ends in time, with the right outcome, and holds little."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from typing import TypeVar

import pytest

from services.scanner.checking import Checking
from services.scanner.connect import connect
from services.scanner.courtesy import Courtesy
from services.scanner.dns_servers import DnsResolver
from services.scanner.enumerating import Endpoint, Enumeration
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from services.scanner.vulnerabilities import CONNECTIONS_MAX, Examination, Probes
from tests.fakes.dns_server import Answer, DnsServer
from tests.fakes.hostile_peers import GUIDE, MARK, PEERS, table
from tests.fakes.hostile_scripts import Peer
from tests.fakes.hostile_server import Hear, HostileServer, Leave, Step
from tests.fakes.scan_requests import full_request, light_request
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.posture import Exposure, GroupsPosture, Posture, Support, VersionPosture
from vigilo.events.scans import Outcome, Snapshot
from vigilo.tls.posture.check import Sameness

T = TypeVar("T")

SECONDS = 4.0  # what an enumeration, a check or an examination has here
HELD_MAX = 3 * 1024 * 1024
# Proved by the same handful of probes at every peer.
KNOWN = Posture(
    versions=(
        *(VersionPosture(version=one, support=Support.REJECTED, complete=True) for one in ("SSLv2", "SSLv3")),
        *(VersionPosture(version=one, support=Support.REJECTED, complete=True) for one in ("TLSv1.0", "TLSv1.1")),
        VersionPosture(
            version="TLSv1.2",
            support=Support.ACCEPTED,
            suites=("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
            suites_count=2,
            complete=True,
        ),
        VersionPosture(version="TLSv1.3", support=Support.REJECTED, complete=True),
    ),
    groups=GroupsPosture(complete=True),
    groups_tls12=GroupsPosture(complete=True),
    session_tickets=Support.ACCEPTED,
)


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """A port for each hostile peer."""
    with ExitStack() as stack:
        yield {peer.name: peer.serve(stack) for peer in PEERS}


async def at_all(ask: Callable[[Peer], Awaitable[T]], *, within: float) -> dict[str, T]:
    async with asyncio.timeout(within):
        answers = await asyncio.gather(*(ask(peer) for peer in PEERS))
    return dict(zip((peer.name for peer in PEERS), answers, strict=True))


def roomy(tools: Tools) -> Tools:
    """All peers of a test live at one address: politeness to it would make them wait for each other."""
    tools.courtesy = Courtesy(per_address=1000, probes_per_address=1000)
    return tools


def test_there_are_enough_of_them_and_the_guide_lists_them() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS) >= 30
    assert GUIDE.read_text().partition(MARK)[2].strip() == table()


async def test_light_scans(tools: Tools, ports: dict[str, int]) -> None:
    async def scan(peer: Peer) -> Snapshot:
        return await scan_target(light_request("127.0.0.1", ports[peer.name]), roomy(tools))

    snapshots = await at_all(scan, within=15)
    ends = {peer.name: peer.ends for peer in PEERS}
    assert {n: (s.outcome, s.detail) for n, s in snapshots.items() if s.outcome not in ends[n]} == {}
    assert all((one.detail or "").isprintable() for one in snapshots.values())
    assert all(len(one.model_dump_json()) < 512 * 1024 for one in snapshots.values())


async def test_enumerations(tools: Tools, ports: dict[str, int]) -> None:
    async def enumerate_it(peer: Peer) -> Posture:
        endpoint = Endpoint(ip_address("127.0.0.1"), ports[peer.name], "a.test", alpn=True)
        deadline = asyncio.get_running_loop().time() + SECONDS
        return await Enumeration(
            endpoint, deadline, part_from=tools.part_from, opened=tools.count_connection, probe_seconds=0.4
        ).run(known_good=False)

    postures = await at_all(enumerate_it, within=15)
    allowed = {peer.name: peer.accepts for peer in PEERS}
    wrong = {name: one.supporting(Support.ACCEPTED) for name, one in postures.items()}
    assert {name: found for name, found in wrong.items() if not set(found) <= allowed[name]} == {}
    refusals = {peer.name for peer in PEERS if peer.refuses}
    assert {name for name, one in postures.items() if one.supporting(Support.REJECTED)} <= refusals
    honest = ("has a c", "bans")
    assert all(one.connections <= 80 for name, one in postures.items() if not name.startswith(honest))


async def test_posture_checks(tools: Tools, ports: dict[str, int]) -> None:
    async def check(peer: Peer) -> Sameness:
        endpoint = Endpoint(ip_address("127.0.0.1"), ports[peer.name], "a.test", alpn=False)
        deadline = asyncio.get_running_loop().time() + SECONDS
        checking = Checking(
            endpoint, deadline, part_from=tools.part_from, opened=tools.count_connection, probe_seconds=0.4
        )
        verdict = await checking.run(KNOWN, seed="today")
        assert checking.connections <= 14
        return verdict.sameness

    verdicts = await at_all(check, within=15)
    assert {name for name, sameness in verdicts.items() if sameness is Sameness.SAME} == set()


async def test_probes_for_known_holes(tools: Tools, ports: dict[str, int]) -> None:
    async def examine(peer: Peer) -> Posture:
        deadline = asyncio.get_running_loop().time() + SECONDS

        async def open_connection() -> socket.socket:
            return await connect(ip_address("127.0.0.1"), ports[peer.name], deadline=deadline)

        return await Examination(
            KNOWN,
            Probes(),
            open_connection,
            tools.part_from,
            "a.test",
            deadline,
            probe_seconds=0.6,
            quiet_seconds=0.2,
        ).run()

    found = await at_all(examine, within=15)
    exposures = {name: {one.name: one.exposure for one in posture.vulnerabilities} for name, posture in found.items()}
    assert all(len(one) == 4 for one in exposures.values())
    assert {name for name, one in exposures.items() if Exposure.VULNERABLE in one.values()} == set()
    assert all(posture.connections <= CONNECTIONS_MAX for posture in found.values())


async def test_floods_are_not_kept(tools: Tools, ports: dict[str, int]) -> None:
    """Peak of what Python holds; the peers, in the same process, had made what they send before."""
    held = {}
    for peer in (one for one in PEERS if one.flood):
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        snapshot = await scan_target(light_request("127.0.0.1", ports[peer.name]), roomy(tools))
        held[peer.name] = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        assert snapshot.outcome in peer.ends
    assert len(held) >= 8
    assert {name: size for name, size in held.items() if size > HELD_MAX} == {}


async def test_a_name_whose_answers_turn_private_is_denied_and_nothing_is_sent(tools: Tools) -> None:
    """127.0.0.1 stands for what may be scanned here, 127.0.0.2 for what may not."""
    names = {"rebind.test": Answer(a=["127.0.0.1"])}
    egress = ScanEgress(parse_networks(["127.0.0.1/32"]))
    script: list[Step] = [Hear(), Leave()]
    with HostileServer(script) as public, HostileServer(script, host="127.0.0.2", port=public.port) as private:
        with DnsServer(names) as dns:
            asking = Tools(resolver=DnsResolver([dns.address]), egress=egress, name="test")
            first = await scan_target(light_request("rebind.test", public.port), asking)
            names["rebind.test"] = Answer(a=["127.0.0.2"])
            second = await scan_target(full_request("rebind.test", public.port), asking)
            await asking.close()
        assert (first.outcome, second.outcome) == (Outcome.CLOSED, Outcome.DENIED)
        assert (public.accepted, private.accepted) == (1, 0)
