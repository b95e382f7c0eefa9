"""How many full scans one core does, how long one takes, and in how many connections.

The server is a process of its own: TLS 1.2 with five suites, TLS 1.3 with three and OpenSSL's default groups.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import resource
import time
import warnings
from statistics import median
from typing import NamedTuple

import pytest
from OpenSSL import SSL

from services.scanner.courtesy import Courtesy
from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import full_request
from tests.fakes.slow_link import slow_link
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.codec import encode_value
from vigilo.events.posture import Support

FIVE = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384"
)
ROUNDS = ((1, 30), (10, 100), (50, 150))


def serve(pipe: multiprocessing.connection.Connection) -> None:
    """A TLS server until the pipe is closed."""
    leaf = Authority.create().leaf("a.test")
    with TlsServer(Serving(leaf, oldest=SSL.TLS1_2_VERSION, ciphers=FIVE)) as server:
        pipe.send(server.port)
        pipe.poll(None)


class Measured(NamedTuple):
    """A line of figures, and how many scans found all there is to find."""

    line: str
    whole: int
    connections: float


async def measure(port: int, *, at_once: int, scans: int) -> Measured:
    """So many full scans of one port, so many at once."""
    resolver = SystemResolver(threads=1)
    egress = ScanEgress(parse_networks(["127.0.0.0/8"]))
    # All these scans are of one address, which a real fleet's are not.
    tools = Tools(resolver=resolver, egress=egress, name="bench", courtesy=Courtesy(5 * at_once, 5 * at_once))
    slots, took, whole = asyncio.Semaphore(at_once), list[float](), list[bool]()

    async def one() -> None:
        async with slots:
            begun = time.perf_counter()
            snapshot = await scan_target(full_request("127.0.0.1", port), tools)
            encode_value(snapshot)
            took.append(time.perf_counter() - begun)
            posture = snapshot.posture
            found = () if posture is None else posture.supporting(Support.ACCEPTED)
            complete = posture is not None and all(version.complete for version in posture.versions)
            whole.append(found == ("TLSv1.2", "TLSv1.3") and complete)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(scans)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await tools.close()
    resolver.close()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    connections = tools.connections / scans
    line = (
        f"{at_once:>4} at once: {scans / wall:5.1f}/s, {scans / cpu:5.1f} per CPU second, "
        f"median {median(took) * 1000:.0f} ms, {connections:.1f} connections each, {rss} MiB at most"
    )
    return Measured(line, sum(whole), connections)


@pytest.mark.slow
def test_full_scans_per_core() -> None:
    warnings.simplefilter("ignore")
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        port = here.recv()
        asyncio.run(measure(port, at_once=1, scans=3))  # warm
        for at_once, scans in ROUNDS:
            measured = asyncio.run(measure(port, at_once=at_once, scans=scans))
            print(measured.line)
            assert measured.whole == scans
            assert measured.connections <= 56  # known holes included
        with slow_link(port, round_trip_seconds=0.05) as far:
            print("50 ms of round trip,", asyncio.run(measure(far, at_once=1, scans=3)).line)
    finally:
        here.close()
        process.terminate()
        process.join(10)
