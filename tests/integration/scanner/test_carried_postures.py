"""What a light scan of a real server repeats, and what its handshake says about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from OpenSSL import SSL

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.foreign_servers import openssl_server
from tests.fakes.pki import Authority, Options, rsa_key
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.posture import PostureSource
from vigilo.events.scans import Baseline, Depth, ScanRequested, Snapshot
from vigilo.tls.posture.contradiction import Contradiction, contradiction, is_believable


def after(full: Snapshot, *, depth: Depth = Depth.LIGHT) -> ScanRequested:
    """The request that follows, as the scheduler makes it."""
    baseline = Baseline(
        scan_id=full.scan_id,
        requested_at=full.requested_at,
        chain_sha256=full.chain_sha256,
        detected_protocol=full.protocol,
        posture=full.posture,
        posture_origin=full.posture_origin,
    )
    request = light_request("127.0.0.1", full.target.port, baseline=baseline)
    return request.model_copy(update={"depth": depth})


def against(full: Snapshot, seen: Snapshot) -> Contradiction | None:
    assert full.posture is not None
    return contradiction(
        full.posture,
        version=seen.tls_version,
        suite=seen.cipher_suite,
        group=seen.group,
        same_address=full.posture.address == seen.address,
    )


async def test_a_light_scan_repeats_the_posture_and_a_check_renews_its_date(authority: Authority, tools: Tools) -> None:
    with TlsServer(Serving(authority.leaf("a.test"), oldest=SSL.TLS1_2_VERSION)) as server:
        full = await scan_target(full_request("127.0.0.1", server.port), tools)
        light = await scan_target(after(full), tools)
        check = await scan_target(after(full, depth=Depth.POSTURE), tools)
    assert is_believable(full.posture)
    assert light.posture == check.posture == full.posture
    assert light.posture_origin is not None
    assert check.posture_origin is not None
    origins = [(one.source, one.scan_id) for one in (light.posture_origin, check.posture_origin)]
    assert origins == [(PostureSource.CARRIED, full.scan_id), (PostureSource.CHECKED, full.scan_id)]
    assert (light.depth, check.depth) == (Depth.LIGHT, Depth.POSTURE)
    assert (light.posture_origin.checked_at, check.posture_origin.checked_at) == (
        full.requested_at,
        check.requested_at,
    )


async def test_a_server_that_lost_its_best_version_is_found_out_by_a_light_scan(
    authority: Authority, tools: Tools
) -> None:
    leaf = authority.leaf("a.test")
    with TlsServer(Serving(leaf, oldest=SSL.TLS1_2_VERSION)) as server:
        full = await scan_target(full_request("127.0.0.1", server.port), tools)
        light = await scan_target(after(full), tools)
        assert light.group == "X25519MLKEM768"
        assert against(full, light) is None
        server.serving = Serving(leaf, oldest=SSL.TLS1_2_VERSION, newest=SSL.TLS1_2_VERSION)
        assert against(full, await scan_target(after(full), tools)) is Contradiction.BEST_VERSION


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("groups", ["P-256", "P-384", "P-521", "X25519", "X448", "ffdhe2048"])
async def test_the_library_and_our_probes_call_groups_by_the_same_names(
    authority: Authority, tools: Tools, tmp_path: Path, version: str, groups: str
) -> None:
    leaf = authority.leaf("a.test", options=Options(key=rsa_key(2048)))
    with openssl_server(leaf, tmp_path, version, "-groups", groups) as port:
        full = await scan_target(full_request("127.0.0.1", port), tools)
    assert full.posture is not None, full.detail
    assert against(full, full) is None
    elsewhere = full.model_copy(update={"group": "secp256r1" if groups != "P-256" else "x25519"})
    found = full.posture.groups if version == "-tls1_3" else full.posture.groups_tls12
    if found is not None and found.complete and found.groups:
        assert against(full, elsewhere) is Contradiction.GROUP
