"""Names, addresses and what several of them do to one scan."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import dns.rcode
import pytest

from services.scanner.dns_servers import DnsResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.dns_server import Answer, DnsServer
from tests.fakes.hostile_server import black_hole
from tests.fakes.scan_requests import light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.scans import Lane, Outcome, Snapshot

NAMES = {
    "one.test": Answer(a=["127.0.0.1"]),
    "slow.test": Answer(a=["127.0.0.1"], delay=2.0),
    "half.test": Answer(a=["127.0.0.1"], silent=["AAAA"]),
    "halfslow.test": Answer(a=["127.0.0.1"], delays={"AAAA": 1.5}),
    "empty.test": Answer(),
    "broken.test": Answer(rcode=dns.rcode.SERVFAIL),
    "refused.test": Answer(rcode=dns.rcode.REFUSED),
    "silent.test": Answer(silent=["A", "AAAA"]),
    "both.test": Answer(a=["127.0.0.1"], aaaa=["::1"]),
    "several.test": Answer(a=["127.0.0.3", "127.0.0.2", "127.0.0.1"]),
    "_under.score.test": Answer(a=["127.0.0.1"]),
}


@pytest.fixture
def asking(tools: Tools) -> Iterator[Tools]:
    with DnsServer(NAMES) as server:
        yield Tools(resolver=DnsResolver([server.address]), egress=tools.egress, name="test")


async def scan(tools: Tools, hostname: str, port: int, lane: Lane = Lane.NOW) -> Snapshot:
    try:
        return await scan_target(light_request(hostname, port, lane=lane), tools)
    finally:
        await tools.close()


@pytest.mark.parametrize(
    ("hostname", "outcome", "words"),
    [
        ("missing.test", Outcome.NAME_NOT_FOUND, "does not exist"),
        ("empty.test", Outcome.NAME_NOT_FOUND, "has no address"),
        ("broken.test", Outcome.DNS_FAILURE, "SERVFAIL"),
        ("refused.test", Outcome.DNS_FAILURE, "REFUSED"),
        ("silent.test", Outcome.DNS_TIMEOUT, "no answer from DNS"),
    ],
)
async def test_names_without_addresses(asking: Tools, hostname: str, outcome: Outcome, words: str) -> None:
    snapshot = await scan(asking, hostname, 443)
    assert snapshot.outcome is outcome
    assert words in (snapshot.detail or "")
    assert (snapshot.address, snapshot.addresses) == (None, ())
    assert snapshot.duration_ms is not None
    assert snapshot.duration_ms < 3900


@pytest.mark.parametrize(
    "hostname", ["one.test", "slow.test", "half.test", "halfslow.test", "_under.score.test", "ONE.test."]
)
async def test_names_with_an_address(asking: Tools, authority: pki.Authority, hostname: str) -> None:
    with TlsServer(Serving(authority.leaf("one.test"))) as server:
        snapshot = await scan(asking, hostname, server.port)
    assert (snapshot.outcome, snapshot.address) == (Outcome.OK, "127.0.0.1")


@pytest.mark.parametrize("hostname", ["localhost", "tls.localhost"])
async def test_localhost_needs_no_dns(asking: Tools, authority: pki.Authority, hostname: str) -> None:
    with TlsServer(Serving(authority.leaf("localhost"))) as server:
        snapshot = await scan(asking, hostname, server.port)
    assert (snapshot.outcome, snapshot.address) == (Outcome.OK, "127.0.0.1")


async def test_the_systems_resolver_knows_this_machine(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("localhost"))) as server:
        found = await scan(tools, "localhost", server.port)
    missing = await scan(tools, "no-such-name.invalid", 443)
    assert found.outcome is Outcome.OK
    # Without any DNS server the C library cannot know that the name does not exist.
    assert missing.outcome in {Outcome.NAME_NOT_FOUND, Outcome.DNS_FAILURE, Outcome.DNS_TIMEOUT}


@contextlib.contextmanager
def black_hole_at(host: str, port: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(listener.family))
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((host, port))
        yield


async def test_black_holed_ipv6_does_not_delay_what_a_person_waits_for(asking: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("both.test"))) as server, black_hole_at("::1", server.port):
        hasty = await scan(asking, "both.test", server.port)
        patient = await scan(asking, "both.test", server.port, Lane.SLOW)
    assert (hasty.outcome, hasty.address) == (Outcome.OK, "127.0.0.1")
    assert [one.outcome for one in hasty.addresses] == [Outcome.OK, Outcome.NOT_PERFORMED]
    assert hasty.duration_ms is not None
    assert hasty.duration_ms < 1500
    assert [one.outcome for one in patient.addresses] == [Outcome.OK, Outcome.CONNECT_TIMEOUT]


async def test_black_holed_ipv4_leaves_ipv6(asking: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("both.test")), host="::1") as server, black_hole_at("127.0.0.1", server.port):
        snapshot = await scan(asking, "both.test", server.port)
    assert (snapshot.outcome, snapshot.address) == (Outcome.OK, "::1")


async def test_the_same_address_speaks_for_the_host_at_every_scan(asking: Tools, authority: pki.Authority) -> None:
    old, new = authority.leaf("several.test"), authority.leaf("several.test")
    with (
        TlsServer(Serving(old)) as one,
        TlsServer(Serving(new), host="127.0.0.2", port=one.port),
    ):
        for _ in range(5):
            snapshot = await scan(asking, "several.test", one.port)
            assert (snapshot.outcome, snapshot.address) == (Outcome.OK, "127.0.0.1")
            assert [result.outcome for result in snapshot.addresses] == [Outcome.OK, Outcome.OK, Outcome.REFUSED]
            assert len({result.leaf_sha256 for result in snapshot.addresses[:2]}) == 2


async def test_all_addresses_dead(asking: Tools) -> None:
    with black_hole() as port:
        snapshot = await scan(asking, "several.test", port)
    assert snapshot.outcome is Outcome.REFUSED
    assert {one.outcome for one in snapshot.addresses} == {Outcome.REFUSED, Outcome.CONNECT_TIMEOUT}
