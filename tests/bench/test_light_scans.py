"""How many light scans one core does.

The server is a process of its own, so that the figure per CPU second is the scanner's alone: TLS 1.3 with a
post-quantum group, a P-256 chain of two, each scan ended by its snapshot as JSON.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import resource
import time
import warnings
from collections import Counter
from statistics import quantiles
from typing import NamedTuple

import pytest

from services.scanner.courtesy import Courtesy
from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.codec import encode_value
from vigilo.events.scans import Outcome

ROUNDS = ((1, 300), (20, 1500), (200, 2000))


def serve(pipe: multiprocessing.connection.Connection) -> None:
    """A TLS server until the pipe is closed."""
    with TlsServer(Serving(Authority.create().leaf("a.test"))) as server:
        pipe.send(server.port)
        pipe.poll(None)


class Measured(NamedTuple):
    """A line of figures, and how the scans ended."""

    line: str
    outcomes: Counter[Outcome]


async def measure(port: int, *, at_once: int, scans: int) -> Measured:
    """So many scans of one port, so many at once."""
    resolver = SystemResolver(threads=1)
    egress = ScanEgress(parse_networks(["127.0.0.0/8"]))
    # All these scans are of one address, which a real fleet's are not.
    tools = Tools(resolver=resolver, egress=egress, name="bench", courtesy=Courtesy(5 * at_once, 5 * at_once))
    slots, outcomes, took = asyncio.Semaphore(at_once), Counter[Outcome](), list[float]()

    async def one() -> None:
        async with slots:
            begun = time.perf_counter()
            snapshot = await scan_target(light_request("127.0.0.1", port), tools)
            encode_value(snapshot)
            took.append(time.perf_counter() - begun)
            outcomes[snapshot.outcome] += 1

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(scans)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await tools.close()
    resolver.close()
    percentiles = quantiles(took, n=100)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = (
        f"{at_once:>4} at once: {scans / wall:6.0f}/s, {scans / cpu:6.0f} per CPU second, "
        f"p50 {percentiles[49] * 1000:.1f} ms, p99 {percentiles[98] * 1000:.1f} ms, {rss} MiB at most"
    )
    return Measured(line, outcomes)


@pytest.mark.slow
def test_light_scans_per_core() -> None:
    warnings.simplefilter("ignore")
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        port = here.recv()
        print("\nlight scans")
        for at_once, scans in ROUNDS:
            measured = asyncio.run(measure(port, at_once=at_once, scans=scans))
            print(measured.line)
            assert measured.outcomes == {Outcome.OK: scans}
    finally:
        process.terminate()
        process.join(10)
