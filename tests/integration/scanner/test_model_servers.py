"""The servers that posture checks are proved against are models; a model that is none of OpenSSL proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.foreign_servers import openssl_server
from tests.fakes.model_server import ModelServer, check_model, enumerate_model
from tests.fakes.model_servers import INTERMEDIATE, MANY, MIXED, TLS13, spread
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.scan_requests import full_request, light_request
from vigilo.events.posture import Posture
from vigilo.events.scans import Baseline, Depth, Snapshot
from vigilo.tls.posture.check import Sameness
from vigilo.tls.wire import code_points as code

# `openssl s_server` as it comes: its groups, in its order.
_CURVES = (29, 23, 30, 25, 24)
_GROUPS = (*_CURVES, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104)
_BASE = ModelServer({}, groups=_GROUPS, curves=_CURVES)
_FROM_12 = ("-min_protocol", "TLSv1.2")
_OLDER = (code.TLS10, code.TLS11, code.TLS12)
_13 = {code.TLS13: TLS13}
_MANY = MANY.removesuffix(":SEED-SHA")  # which OpenSSL 3 has put away
_WEAK = f"{_MANY}:NULL-SHA256:NULL-SHA"


@dataclass(frozen=True)
class Twin:
    """A model, and the options that make OpenSSL the same."""

    model: ModelServer
    options: tuple[str, ...]


def _options(names: str, *more: str) -> tuple[str, ...]:
    return ("-cipher", f"{names}:@SECLEVEL=0", *more)


def _server_order(model: ModelServer) -> ModelServer:
    return replace(model, own_order=True, own_curve_order=True)


_mixed = replace(_BASE, suites={**spread(MIXED, (code.TLS12,)), **_13})
TWINS = {
    "intermediate": Twin(
        replace(_BASE, suites={**spread(INTERMEDIATE, (code.TLS12,)), **_13}), _options(INTERMEDIATE, *_FROM_12)
    ),
    "mixed, client order": Twin(_mixed, _options(MIXED, *_FROM_12)),
    "mixed": Twin(_server_order(_mixed), _options(MIXED, "-serverpref", *_FROM_12)),
    "mixed, ChaCha first": Twin(
        replace(_server_order(_mixed), chacha_first=True),
        _options(MIXED, "-serverpref", "-prioritize_chacha", *_FROM_12),
    ),
    "mixed, NULL at the end": Twin(
        _server_order(replace(_BASE, suites={**spread(f"{MIXED}:NULL-SHA256", (code.TLS12,)), **_13})),
        _options(f"{MIXED}:NULL-SHA256", "-serverpref", *_FROM_12),
    ),
    "legacy": Twin(
        _server_order(replace(_BASE, suites={**spread(_MANY, _OLDER), **_13})),
        _options(_MANY, "-serverpref", "-min_protocol", "TLSv1"),
    ),
    "legacy, NULL at the end": Twin(
        _server_order(replace(_BASE, suites={**spread(_WEAK, _OLDER), **_13})),
        _options(_WEAK, "-serverpref", "-min_protocol", "TLSv1"),
    ),
    "TLS 1.1 and 1.2, without tickets": Twin(
        replace(_BASE, suites=spread(MIXED, (code.TLS11, code.TLS12)), session_tickets=False),
        _options(MIXED, "-min_protocol", "TLSv1.1", "-max_protocol", "TLSv1.2", "-no_ticket"),
    ),
    "TLS 1.3 only, two groups": Twin(
        _server_order(replace(_BASE, suites=_13, groups=(24, 23))), ("-tls1_3", "-groups", "P-384:P-256", "-serverpref")
    ),
}


@pytest.fixture(scope="module")
def rsa_leaf(authority: Authority) -> Issued:
    return authority.leaf("a.test", options=Options(key=rsa_key(2048)))


@contextmanager
def twins(leaf: Issued, folder: Path) -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        ports = {}
        for number, (name, twin) in enumerate(TWINS.items()):
            own = folder / str(number)
            own.mkdir()
            ports[name] = stack.enter_context(openssl_server(leaf, own, *twin.options))
        yield ports


def accepts(posture: Posture | None) -> dict[str, Any]:
    assert posture is not None
    return posture.model_dump(exclude={"connections", "duration_ms", "address", "vulnerabilities"})


async def check_real(port: int, before: Snapshot, tools: Tools) -> Snapshot:
    baseline = Baseline(
        scan_id=before.scan_id,
        requested_at=before.requested_at,
        posture=before.posture,
        posture_origin=before.posture_origin,
    )
    request = light_request("127.0.0.1", port, baseline=baseline)
    return await scan_target(request.model_copy(update={"depth": Depth.POSTURE}), tools)


@pytest.mark.parametrize("distance", [1, pytest.param(len(TWINS), marks=pytest.mark.slow)])
async def test_models_are_as_openssl_is_and_checks_end_alike(
    rsa_leaf: Issued, tools: Tools, tmp_path: Path, distance: int
) -> None:
    """The same posture by enumeration; and for pairs of neighbours (or all) the check of the real ones ends alike."""
    models = {name: enumerate_model(twin.model, alpn=False) for name, twin in TWINS.items()}
    with twins(rsa_leaf, tmp_path) as ports:
        real = {name: await scan_target(full_request("127.0.0.1", port), tools) for name, port in ports.items()}
        for name, snapshot in real.items():
            assert accepts(snapshot.posture) == accepts(models[name]), name
        for before, after in product(TWINS, repeat=2):
            if abs(list(TWINS).index(before) - list(TWINS).index(after)) > distance:
                continue
            if before != after and {before, after} == {"mixed", "mixed, ChaCha first"}:
                continue  # whether ChaCha is asked for is drawn by the time of the request
            verdict, _ = check_model(models[before], TWINS[after].model, alpn=False)
            snapshot = await check_real(ports[after], real[before], tools)
            ended = Sameness.SAME if snapshot.depth is Depth.POSTURE else Sameness.DIFFERENT
            assert ended is verdict.sameness, (before, after)
            assert (ended is Sameness.SAME) is (before == after), (before, after)
