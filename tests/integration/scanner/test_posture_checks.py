"""Posture checks of real servers: the same is proved in at most 14 connections, a difference becomes a full scan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.foreign_servers import openssl_server
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.relay import Relay
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.hosts import Probing
from vigilo.events.posture import Posture, PostureSource, Support
from vigilo.events.scans import Baseline, Depth, Snapshot
from vigilo.tls.posture.recheck import CONNECTIONS_MAX

LIGHT_MAX = 3
MIXED = "ECDHE+AESGCM:DHE+AESGCM:ECDHE+AES:AES256-SHA:AES128-SHA:@SECLEVEL=0"
GOOD = "ECDHE+AESGCM:DHE+AESGCM"
OLDER = ("-min_protocol", "TLSv1")
# Each differs from the one before it in one thing, and that one from it.
CONFIGURATIONS: dict[str, tuple[str, ...]] = {
    "mixed": ("-cipher", MIXED),
    "server order": ("-cipher", MIXED, "-serverpref"),
    "one suite less": ("-cipher", MIXED.replace(":AES256-SHA", ""), "-serverpref"),
    "no static RSA": ("-cipher", "ECDHE+AESGCM:DHE+AESGCM:ECDHE+AES:@SECLEVEL=0", "-serverpref"),
    "forward secret AEAD": ("-cipher", GOOD, "-serverpref"),
    "one TLS 1.3 suite": ("-cipher", GOOD, "-serverpref", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
    "two groups": ("-cipher", GOOD, "-serverpref", "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-256:P-384"),
    "TLS 1.2 only": ("-cipher", GOOD, "-serverpref", "-tls1_2", "-groups", "P-256:P-384"),
    "TLS 1.3 only": ("-tls1_3",),
    "from TLS 1.0": ("-cipher", MIXED, *OLDER),
    "from TLS 1.0, no tickets": ("-cipher", MIXED, *OLDER, "-no_ticket"),
    "from TLS 1.1": ("-cipher", MIXED, "-min_protocol", "TLSv1.1"),
    "from TLS 1.1, NULL at the end": ("-cipher", f"{MIXED}:NULL-SHA", "-min_protocol", "TLSv1.1"),
}  # fmt: skip

SAMPLED = {("server order", "one suite less"), ("forward secret AEAD", "one TLS 1.3 suite")}


@pytest.fixture(scope="session")
def rsa_leaf(authority: Authority) -> Issued:
    return authority.leaf("a.test", options=Options(key=rsa_key(2048)))


def baseline_of(snapshot: Snapshot) -> Baseline:
    return Baseline(
        scan_id=snapshot.scan_id,
        requested_at=snapshot.requested_at,
        chain_sha256=snapshot.chain_sha256,
        posture=snapshot.posture,
        posture_origin=snapshot.posture_origin,
        address_postures=snapshot.address_postures,
    )


async def full_scan(port: int, tools: Tools) -> Snapshot:
    snapshot = await scan_target(full_request("127.0.0.1", port), tools)
    assert snapshot.depth is Depth.FULL, snapshot.detail
    assert snapshot.posture is not None
    assert not snapshot.throttled
    return snapshot


async def check(port: int, tools: Tools, before: Snapshot | None, **target: Any) -> Snapshot:
    baseline = None if before is None else baseline_of(before)
    request = light_request("127.0.0.1", port, baseline=baseline, **target)
    return await scan_target(request.model_copy(update={"depth": Depth.POSTURE}), tools)


def accepts(posture: Posture | None) -> object:
    """What it says, whenever and however that was found out."""
    assert posture is not None
    return posture.model_dump(exclude={"connections", "duration_ms", "notes", "address"})


@contextmanager
def all_configurations(leaf: Issued, folder: Path) -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        ports = {}
        for number, (name, options) in enumerate(CONFIGURATIONS.items()):
            own = folder / str(number)
            own.mkdir()
            ports[name] = stack.enter_context(openssl_server(leaf, own, *options))
        yield ports


async def test_real_servers_and_the_differences_between_them(rsa_leaf: Issued, tools: Tools, tmp_path: Path) -> None:
    """A dozen configurations: each against itself is proved the same, against its neighbours it is enumerated."""
    with all_configurations(rsa_leaf, tmp_path) as ports:
        before = {name: await full_scan(port, tools) for name, port in ports.items()}
        for name, port in ports.items():
            begun = tools.connections
            same = await check(port, tools, before[name])
            assert (same.depth, same.throttled) == (Depth.POSTURE, False), name
            assert tools.connections - begun <= CONNECTIONS_MAX + LIGHT_MAX
            assert same.posture == before[name].posture
        for one, other in [*pairwise(ports), *pairwise(reversed(list(ports)))]:
            after = await check(ports[other], tools, before[one])
            if after.depth is Depth.POSTURE:
                # Suites of kinds that have others: drawn in some checks, and measured once a day.
                assert (one, other) in SAMPLED
                continue
            assert after.depth is Depth.FULL, (one, other)
            assert accepts(after.posture) == accepts(before[other].posture), (one, other)


async def test_connections_counted_at_the_server(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"), oldest=SSL.TLS1_2_VERSION)) as server:
        before = await full_scan(server.port, tools)
        begun = server.accepted
        await scan_target(light_request("127.0.0.1", server.port), tools)
        light = server.accepted - begun
        assert light <= LIGHT_MAX
        snapshot = await check(server.port, tools, before)
        assert server.accepted - begun - 2 * light <= CONNECTIONS_MAX
    assert snapshot.depth is Depth.POSTURE
    assert snapshot.posture == before.posture
    origin = snapshot.posture_origin
    assert origin is not None
    assert (origin.source, origin.scan_id) == (PostureSource.CHECKED, before.scan_id)
    assert (origin.measured_at, origin.checked_at) == (before.requested_at, snapshot.requested_at)


async def test_no_handshake_of_a_light_scan_ends_in_an_alert(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        for _ in range(3):
            await scan_target(light_request("127.0.0.1", server.port), tools)
        await tools.close()
        assert 0 < server.accepted <= 3 * LIGHT_MAX
    assert (server.completed, server.clean_closes, server.errors) == (server.accepted, server.accepted, [])


async def test_without_a_known_posture_a_check_is_a_full_scan(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        snapshot = await check(server.port, tools, None)
    assert snapshot.depth is Depth.FULL
    assert snapshot.posture_origin is not None
    assert snapshot.posture_origin.source is PostureSource.MEASURED


async def test_an_incomplete_posture_is_measured_again(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        before = await full_scan(server.port, tools)
        assert before.posture is not None
        versions = tuple(one.model_copy(update={"complete": False}) for one in before.posture.versions)
        vague = before.model_copy(update={"posture": before.posture.model_copy(update={"versions": versions})})
        snapshot = await check(server.port, tools, vague)
    assert snapshot.depth is Depth.FULL
    assert accepts(snapshot.posture) == accepts(before.posture)


async def test_who_allows_handshakes_only_is_never_checked(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        before = await full_scan(server.port, tools)
        begun = server.accepted
        snapshot = await check(server.port, tools, before, probing=Probing.HANDSHAKE_ONLY)
        assert server.accepted - begun <= LIGHT_MAX
    assert snapshot.depth is Depth.LIGHT


async def test_another_address_than_the_known_one_is_enumerated(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        before = await full_scan(server.port, tools)
        assert before.posture is not None
        moved = before.model_copy(update={"posture": before.posture.model_copy(update={"address": "127.0.0.9"})})
        snapshot = await check(server.port, tools, moved)
    assert snapshot.depth is Depth.FULL
    assert snapshot.posture is not None
    assert snapshot.posture.address == "127.0.0.1"


@pytest.mark.parametrize("more", [2, 5, 11])
async def test_a_ban_in_the_middle_of_a_check_changes_nothing(authority: Authority, tools: Tools, more: int) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        before = await full_scan(server.port, tools)
        with Relay(server.port, ban_after=LIGHT_MAX + more) as relay:
            snapshot = await check(relay.port, tools, before)
            assert relay.accepted <= CONNECTIONS_MAX + LIGHT_MAX + 1
    assert (snapshot.depth, snapshot.throttled) == (Depth.LIGHT, True)
    assert snapshot.posture == before.posture
    assert snapshot.posture_origin is not None
    assert snapshot.posture_origin.source is PostureSource.CARRIED
    assert snapshot.posture is not None
    assert "TLSv1.3" in snapshot.posture.supporting(Support.ACCEPTED)
