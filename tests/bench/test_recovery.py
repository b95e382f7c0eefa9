"""How long a stream service that lost its memory needs to be at work again, with 100,000 hosts in its tables.

A few hosts are graded for real; their rows, with other ids, names, fingerprints and certificates, are then written for
100,000 more, as they stand in the changelogs after compaction.
"""

from __future__ import annotations

import base64
import random
import time

import psutil
import pytest

from tests.bench.figures import report
from tests.bench.fleet import Fleet, derived, snapshot_event
from tests.bench.processes import PATIENCE_S, done
from tests.bench.workshop import PARTITIONS, Workshop
from vigilo.adapters.streams.plan import slot_key
from vigilo.events.partitioner import partition_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]

HOSTS = 100_000
SAMPLES = 100
GUARD, CHAINS = "grader-grades-changelog", "grader-chains-changelog"


def graded(workshop: Workshop, fleet: Fleet) -> None:
    """The grader has seen every host of the fleet, has committed that, and has ended."""
    with workshop.service("grader") as grader:
        done(grader, workshop.fill(snapshot_event(fleet.snapshot(n, 0, der=True)) for n in range(len(fleet.chains))))


class Copies:
    """One real row and its side row, made into those of other hosts."""

    def __init__(self, fleet: Fleet, row: bytes, side: bytes) -> None:
        self._row, self._side = row, side
        self._random = random.Random(1)
        self._hosts = [one for one in fleet.hosts() if str(one.host_id).encode() in row]
        chain = fleet.chains[int(self._hosts[0].hostname.removeprefix("h").split(".")[0])]
        self._leaf = chain.certificates[0].fingerprint_sha256.encode()
        self._der = (chain.der or ("",))[0].encode()

    def of(self, number: int) -> tuple[bytes, bytes, bytes]:
        """Key, row and side row of the n-th host."""
        key = str(derived("copy", number)).encode()
        host = self._hosts[0]
        leaf = self._random.randbytes(32).hex().encode()
        row = self._row.replace(str(host.host_id).encode(), key).replace(self._leaf, leaf)
        row = row.replace(host.hostname.encode(), f"h{number}.shop.example".encode())
        der = base64.b64encode(self._random.randbytes(len(self._der) * 3 // 4))
        return key, row, self._side.replace(self._leaf, leaf).replace(self._der, der)


def write_rows(workshop: Workshop, copies: Copies) -> tuple[int, int]:
    """Rows and side rows of all hosts; returns their bytes."""
    guard, chains = workshop.kafka.physical(GUARD), workshop.kafka.physical(CHAINS)
    rows = sides = 0
    for number in range(HOSTS):
        key, row, side = copies.of(number)
        # The changelog's partition is the host's, whatever the side row's own key says.
        partition = partition_for(key, PARTITIONS)
        workshop.write(chains, slot_key(key, 0), side, partition=partition)
        workshop.write(guard, key, row, partition=partition)
        rows, sides = rows + len(row), sides + len(side)
    workshop.flush()
    return rows, sides


def test_recovery_of_a_large_table(workshop: Workshop) -> None:
    fleet = Fleet.of(SAMPLES)
    graded(workshop, fleet)
    row, side = workshop.newest(GUARD), workshop.newest(CHAINS)
    rows, sides = write_rows(workshop, Copies(fleet, row, side))
    with workshop.service("grader") as grader:
        deadline = grader.started_at + PATIENCE_S
        while not grader.ready:
            grader.check()
            assert time.monotonic() < deadline, grader.log.read_text()[-2000:]
            time.sleep(0.1)
        seconds = time.monotonic() - grader.started_at
        cpu = sum(psutil.Process(grader.process.pid).cpu_times()[:2])
        resident = psutil.Process(grader.process.pid).memory_info().rss
        held = grader.rows()
    assert all(count >= HOSTS for count in held.values()), held
    what = f"grader, {HOSTS:,} hosts ({rows // HOSTS:,} + {sides // HOSTS:,} bytes each)"
    report(f"{what}, start to ready", f"{seconds:.1f} s", target="<= 30 s")
    report("  of that on the processor", f"{cpu:.1f} s")
    report("  rows of both tables", f"{2 * HOSTS / seconds:,.0f}/s, {2 * HOSTS / cpu:,.0f}/s and core")
    report("  resident memory then", f"{resident / 2**20:,.0f} MiB")
