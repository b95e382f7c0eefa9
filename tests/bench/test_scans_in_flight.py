"""How much memory a process needs with 500 full scans in flight: 500 slow servers, each at an address of its own.

The servers are a relay in a process of its own, 0.4 s of round trip away from one nginx.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import resource
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.bench.figures import report
from tests.bench.test_peers import nginx
from tests.fakes.scan_requests import full_request
from tests.fakes.slow_link import accepting
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.codec import encode_value
from vigilo.events.scans import Outcome

SCANS = 500
_ROUND_TRIP_SECONDS = 0.4
_FILES = 20_000


class Measured(NamedTuple):
    """Peak memory in MiB before the first scan and at the end, seconds, ends, and how many scans were whole."""

    before: int
    after: int
    most: int
    wall: float
    cpu: float
    outcomes: Counter[Outcome]
    whole: int


def _addresses() -> list[str]:
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(SCANS)]


def _allow_many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard) if hard > 0 else _FILES, hard))


def serve_slowly(pipe: multiprocessing.connection.Connection, target_port: int) -> None:
    """500 addresses, one port, every byte late, until the pipe is closed."""
    _allow_many_files()

    async def serve() -> None:
        accept = accepting(target_port, round_trip_seconds=_ROUND_TRIP_SECONDS)
        first, *others = _addresses()
        servers = [await asyncio.start_server(accept, first, 0, backlog=1024)]
        port = servers[0].sockets[0].getsockname()[1]
        servers += [await asyncio.start_server(accept, other, port, backlog=1024) for other in others]
        pipe.send(port)
        with contextlib.suppress(EOFError):
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


def scan_all(pipe: multiprocessing.connection.Connection, port: int) -> None:
    """All 500 at once; the figures go into the pipe."""
    _allow_many_files()
    warnings.simplefilter("ignore")
    pipe.send(asyncio.run(_scan_all(port)))


async def _scan_all(port: int) -> Measured:
    resolver = SystemResolver(threads=1)
    tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["127.0.0.0/8"])), name="bench")
    in_flight = most = whole = 0
    outcomes = Counter[Outcome]()

    async def one(address: str) -> None:
        nonlocal in_flight, most, whole
        in_flight += 1
        most = max(most, in_flight)
        snapshot = await scan_target(full_request("a.test", port, address=address), tools)
        encode_value(snapshot)
        in_flight -= 1
        outcomes[snapshot.outcome] += 1
        whole += snapshot.posture is not None and all(one.complete for one in snapshot.posture.versions)

    before = _peak_mib()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(address) for address in _addresses()))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await tools.close()
    resolver.close()
    return Measured(before, _peak_mib(), most, wall, cpu, outcomes, whole)


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def _slow_servers(target_port: int) -> Iterator[int]:
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve_slowly, args=(there, target_port), daemon=True)
    process.start()
    try:
        assert here.poll(30), "the slow servers did not start"
        yield here.recv()
    finally:
        process.terminate()
        process.join(10)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_memory_with_500_scans_in_flight(tmp_path: Path) -> None:
    print()
    with nginx(tmp_path) as backend, _slow_servers(backend) as port:
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=scan_all, args=(there, port), daemon=True)
        process.start()
        assert here.poll(240), "the scans do not end"
        measured: Measured = here.recv()
        process.join(10)
    report(
        f"{measured.most} full scans in flight, one process",
        f"{measured.after} MiB at most",
        target="<= 300 MiB",
    )
    report("  of which before the first scan", f"{measured.before} MiB")
    report("  until all had ended", f"{measured.wall:.1f} s, {measured.cpu:.1f} s of CPU")
    assert measured.outcomes == {Outcome.OK: SCANS}
    assert measured.most == SCANS
    assert measured.whole == SCANS
