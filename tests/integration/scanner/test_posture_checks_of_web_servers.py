"""Posture checks of nginx, haproxy, GnuTLS and tlslite-ng, counted in front of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.foreign_servers import tlslite_server
from tests.fakes.library_servers import gnutls_server
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.relay import Relay
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.web_servers import haproxy, nginx
from vigilo.events.posture import Posture
from vigilo.events.scans import Baseline, Depth, Snapshot
from vigilo.tls.posture.recheck import CONNECTIONS_MAX

LIGHT_MAX, FULL_MAX, FULL_MAX_LEGACY = 3, 45, 115

# NULL and anonymous suites in TLS 1.0 to 1.3: one kind more than fourteen connections can prove, so it is enumerated.
TOO_MUCH = {"haproxy, legacy"}


@pytest.fixture(scope="module")
def leaves(authority: Authority) -> tuple[Issued, Issued]:
    return authority.leaf("a.test", options=Options(key=rsa_key())), authority.leaf("a.test")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that servers reach as users of their own; tmp_path is for ours alone."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-checks-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Watched:
    """One server through a relay that counts."""

    port: int
    tools: Tools

    async def scan(self, depth: Depth, before: Snapshot | None = None) -> tuple[Snapshot, int]:
        """The snapshot, and how many connections it took."""
        baseline = None if before is None else baseline_of(before)
        request = full_request("127.0.0.1") if before is None else light_request("127.0.0.1", baseline=baseline)
        with Relay(self.port) as relay:
            target = request.target.model_copy(update={"port": relay.port})
            asked = request.model_copy(update={"depth": depth, "target": target})
            return await scan_target(asked, self.tools), relay.accepted


def baseline_of(before: Snapshot) -> Baseline:
    return Baseline(
        scan_id=before.scan_id,
        requested_at=before.requested_at,
        posture=before.posture,
        posture_origin=before.posture_origin,
    )


def accepts(posture: Posture | None) -> Any:
    assert posture is not None
    return posture.model_dump(exclude={"connections", "duration_ms", "notes"})


async def prove(ports: dict[str, int], tools: Tools) -> dict[str, Snapshot]:
    """Each server against itself, twice: the same, in few connections."""
    found = {}
    for name, port in ports.items():
        watched = Watched(port, tools)
        full, _ = await watched.scan(Depth.FULL)
        light, lightly = await watched.scan(Depth.LIGHT, full)
        assert lightly <= LIGHT_MAX
        assert light.depth is Depth.LIGHT
        for _ in range(2):
            checked, connections = await watched.scan(Depth.POSTURE, full)
            assert checked.depth is (Depth.FULL if name in TOO_MUCH else Depth.POSTURE), name
            assert name in TOO_MUCH or connections - lightly <= CONNECTIONS_MAX, name
            assert accepts(checked.posture) == accepts(full.posture), name
        found[name] = full
    return found


async def test_nginx(leaves: tuple[Issued, Issued], open_folder: Path, tools: Tools) -> None:
    with nginx(*leaves, open_folder) as ports:
        full = await prove(ports, tools)
        connections = {name: one.posture.connections for name, one in full.items() if one.posture is not None}
        assert connections["modern"] <= FULL_MAX
        assert connections["intermediate"] <= FULL_MAX
        assert connections["legacy"] <= FULL_MAX_LEGACY
        for before, after in (("intermediate", "ChaCha first"), ("intermediate", "legacy"), ("legacy", "everything"),
                              ("RSA and ECDSA", "intermediate"), ("as it comes", "two curves")):  # fmt: skip
            snapshot, _ = await Watched(ports[after], tools).scan(Depth.POSTURE, full[before])
            assert snapshot.depth is Depth.FULL, (before, after)
            assert accepts(snapshot.posture) == accepts(full[after].posture)


async def test_haproxy(leaves: tuple[Issued, Issued], open_folder: Path, tools: Tools) -> None:
    with haproxy(leaves[0], open_folder) as ports:
        await prove({f"haproxy, {name}": port for name, port in ports.items()}, tools)


async def test_gnutls(leaves: tuple[Issued, Issued], open_folder: Path, tools: Tools) -> None:
    old = "NORMAL:+ARCFOUR-128:+3DES-CBC:+DHE-RSA:%SERVER_PRECEDENCE"
    with gnutls_server(leaves[0], open_folder, "NORMAL") as port:
        await prove({"as it comes": port}, tools)
    with gnutls_server(leaves[0], open_folder, old) as port:
        await prove({"old": port}, tools)


async def test_servers_of_long_ago(leaves: tuple[Issued, Issued], tools: Tools) -> None:
    with tlslite_server(leaves[0], ciphers=("rc4", "3des", "null"), key_exchanges=("rsa", "dhe_rsa")) as port:
        await prove({"tlslite": port}, tools)
