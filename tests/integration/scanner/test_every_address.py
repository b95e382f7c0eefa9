"""Full scans of hosts with several addresses: who is asked, who never is, and what comes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from OpenSSL import SSL

from services.scanner.dns_servers import DnsResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.dns_server import Answer, DnsServer
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import full_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.cards import Verdict
from vigilo.events.posture import Support
from vigilo.events.scans import Baseline, Depth, Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

LOOPBACK = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
ASIDE_MAX = 8  # connections beside an enumeration: the light ones, and what is asked of the speaker alone
SUITES = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA"


@pytest.fixture
def names() -> Iterator[DnsServer]:
    answers = {"two.test": Answer(a=LOOPBACK[:2]), "three.test": Answer(a=LOOPBACK), "one.test": Answer(a=LOOPBACK[:1])}
    with DnsServer(answers) as server:
        yield server


def tools_with(names: DnsServer, *allowed: str) -> Tools:
    egress = ScanEgress(parse_networks(allowed or ["127.0.0.0/8"]))
    return Tools(resolver=DnsResolver([names.address]), egress=egress, name="test")


@contextlib.contextmanager
def servers(*all_serving: Serving) -> Iterator[list[TlsServer]]:
    """One server per address of loopback, all on one port."""
    with contextlib.ExitStack() as stack:
        started: list[TlsServer] = []
        for host, serving in zip(LOOPBACK, all_serving, strict=False):
            port = started[0].port if started else 0
            started.append(stack.enter_context(TlsServer(serving, host=host, port=port)))
        yield started


async def scan(request: ScanRequested, tools: Tools) -> Snapshot:
    try:
        return await scan_target(request, tools)
    finally:
        await tools.close()


def slot(name: str, port: int, day: int = 0, *, after: Snapshot | None = None, **how: Any) -> ScanRequested:
    """A daily full scan of one host, `day` days on."""
    baseline = None if after is None else _baseline(after)
    request = full_request(name, port, baseline=baseline, **how)
    at = request.requested_at + timedelta(days=day)
    target = request.target if after is None else after.target
    return request.model_copy(update={"reason": ScanReason.SLOT, "requested_at": at, "target": target})


def _baseline(snapshot: Snapshot) -> Baseline:
    return Baseline(
        scan_id=snapshot.scan_id,
        requested_at=snapshot.requested_at,
        chain_sha256=snapshot.chain_sha256,
        posture=snapshot.posture,
        posture_origin=snapshot.posture_origin,
        address_postures=snapshot.address_postures,
    )


@pytest.fixture(scope="module")
def modern(authority: Authority) -> Serving:
    return Serving(authority.leaf("two.test"), oldest=SSL.TLS1_2_VERSION, ciphers=SUITES)


async def test_alike_addresses_are_enumerated_by_turns(names: DnsServer, modern: Serving) -> None:
    with servers(modern, modern, modern) as started:
        first = await scan(slot("three.test", started[0].port), tools_with(names))
        assert first.posture is not None
        assert first.address_postures == ()
        met = [first.posture.address]
        for day in (1, 2):
            before = [one.accepted for one in started]
            again = await scan(slot("three.test", started[0].port, day, after=first), tools_with(names))
            assert again.posture is not None
            met.append(again.posture.address)
            busy = [one.accepted - count > ASIDE_MAX for one, count in zip(started, before, strict=True)]
            assert busy == [one.host == again.posture.address for one in started]
    assert set(met) == set(LOOPBACK)
    assert len({one.hello_sha256 for one in first.addresses}) == 1
    assert first.rollout == {}


async def test_an_address_whose_hello_differs_is_enumerated_at_once(names: DnsServer, modern: Serving) -> None:
    with servers(modern, replace(modern, newest=SSL.TLS1_2_VERSION)) as started:
        snapshot = await scan(slot("two.test", started[0].port), tools_with(names))
    assert snapshot.posture is not None
    assert {one.address for one in snapshot.address_postures} == set(LOOPBACK[:2])
    assert len({one.hello_sha256 for one in snapshot.addresses}) == 2
    assert snapshot.posture.supporting(Support.ACCEPTED) == ("TLSv1.2", "TLSv1.3")
    assert any(note.startswith("the addresses differ: TLSv1.3") for note in snapshot.posture.notes)


async def test_an_address_with_another_leaf_is_enumerated_and_the_rollout_is_told(
    names: DnsServer, modern: Serving, authority: Authority
) -> None:
    with servers(modern, replace(modern, leaf=authority.leaf("two.test"))) as started:
        snapshot = await scan(slot("two.test", started[0].port), tools_with(names))
    assert len(snapshot.address_postures) == 2
    assert set(snapshot.rollout.values()) == {("127.0.0.1",), ("127.0.0.2",)}
    assert snapshot.address == "127.0.0.1"


async def test_a_difference_behind_equal_hellos_is_found_once_and_then_stays(names: DnsServer, modern: Serving) -> None:
    """The second server takes TLS 1.0, too; no light handshake shows it."""
    with servers(modern, replace(modern, oldest=SSL.TLS1_VERSION, ciphers=SUITES + b":@SECLEVEL=0")) as started:
        snapshot: Snapshot | None = None
        accepted = []
        for day in range(4):
            snapshot = await scan(slot("two.test", started[0].port, day, after=snapshot), tools_with(names))
            assert snapshot.posture is not None
            accepted.append("TLSv1.0" in snapshot.posture.supporting(Support.ACCEPTED))
    assert accepted[1:] == [True] * 3
    assert snapshot is not None
    assert len(snapshot.address_postures) == 2


async def test_a_dead_address_is_told_and_does_not_speak_for_the_host(names: DnsServer, modern: Serving) -> None:
    with TlsServer(modern, host="127.0.0.2") as server:
        snapshot = await scan(slot("two.test", server.port), tools_with(names))
    assert (snapshot.outcome, snapshot.address, snapshot.depth) == (Outcome.OK, "127.0.0.2", Depth.FULL)
    assert [one.outcome for one in snapshot.addresses] == [Outcome.REFUSED, Outcome.OK]
    assert snapshot.posture is not None
    assert snapshot.posture.address == "127.0.0.2"


async def test_nothing_connects_to_an_address_that_may_not_be_scanned(names: DnsServer, modern: Serving) -> None:
    with servers(modern, modern) as started:
        tools = tools_with(names, "127.0.0.1/32")
        for day in range(2):
            snapshot = await scan(slot("two.test", started[0].port, day), tools)
            assert [one.outcome for one in snapshot.addresses] == [Outcome.OK, Outcome.DENIED]
            assert snapshot.depth is Depth.FULL
        assert started[0].accepted == tools.connections
        assert started[1].accepted == 0


async def test_a_name_that_turns_to_a_denied_address_is_never_followed(names: DnsServer, modern: Serving) -> None:
    class Turning(dict[str, Answer]):
        """The first answer is good; all later ones lead elsewhere."""

        def get(self, name: str, default: Any = None) -> Any:
            return Answer(a=LOOPBACK[:1]) if names.asked[name, "A"] <= 1 else Answer(a=["127.0.0.2", "169.254.169.254"])

    names.names = Turning()
    with servers(modern, modern) as started:
        tools = tools_with(names, "127.0.0.1/32")
        first = await scan(slot("one.test", started[0].port), tools)
        assert (first.outcome, first.depth) == (Outcome.OK, Depth.FULL)
        assert names.asked["one.test", "A"] == 1  # the enumeration asks nobody again
        later = await scan(slot("one.test", started[0].port), tools)
        assert {one.outcome for one in later.addresses} == {Outcome.DENIED}
        assert (later.outcome, later.depth) == (Outcome.DENIED, Depth.LIGHT)
        assert started[1].accepted == 0


@pytest.mark.parametrize(
    ("hostname", "how", "expected"),
    [
        ("127.0.0.1", {}, None),
        ("two.test", {"address": "127.0.0.1"}, b"two.test"),
        ("two.test", {"address": "127.0.0.1", "sni": "other.test"}, b"other.test"),
        ("127.0.0.1", {"sni": "other.test"}, b"other.test"),
    ],
)
async def test_every_connection_of_a_full_scan_asks_for_the_name_that_was_set(
    names: DnsServer, modern: Serving, hostname: str, how: dict[str, Any], expected: bytes | None
) -> None:
    with servers(modern, modern) as started:
        snapshot = await scan(slot(hostname, started[0].port, **how), tools_with(names))
        assert (snapshot.outcome, snapshot.depth) == (Outcome.OK, Depth.FULL)
        # A few are asked without a name, to see what is served then; none for another.
        others = [name for name in started[0].server_names if name != expected]
        assert others.count(None) == len(others) <= 3
        assert started[1].accepted == 0
    assert names.asked["two.test", "A"] == 0


@pytest.mark.parametrize(("asked", "verdict"), [("127.0.0.1", Verdict.YES), ("127.0.0.2", Verdict.NO)])
async def test_the_name_of_an_address_is_the_address(
    names: DnsServer, authority: Authority, asked: str, verdict: Verdict
) -> None:
    """RFC 9110 section 4.3.5: compared with the addresses of the certificate, never with its names."""
    serving = Serving(authority.leaf("127.0.0.1"))
    with servers(serving, serving) as started:
        snapshot = await scan(slot(asked, started[0].port), tools_with(names))
    judge = TrustJudge(TrustStores(public=AnchorSet("test", (authority.root.certificate,))))
    card = grade_snapshot(snapshot, serving.leaf.chain_der, judge=judge, at=snapshot.finished_at)
    assert card.name_matches is verdict
