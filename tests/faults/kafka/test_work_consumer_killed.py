"""SIGKILL in the middle of out-of-order work loses nothing: what was not finished is read again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.vigilo.adapters.kafka.test_consumer import committed, fill
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

RECORDS = {"fast": 1_500, "slow": 4_500}
PARTITIONS = 4
Line = tuple[str, str, str]


def lines(journal: Path) -> Counter[Line]:
    """What was finished, how often; a line the kill cut in half does not count."""
    text = journal.read_text() if journal.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return Counter((topic, partition, offset) for topic, partition, offset in map(str.split, whole))


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """A worker, to be killed."""
    return subprocess.Popen(command)


async def grown_to(journal: Path, count: int, seconds: float) -> None:
    """Returns once so many different records are in the journal."""
    deadline = time.monotonic() + seconds
    while len(lines(journal)) < count:
        assert time.monotonic() < deadline, f"{len(lines(journal))} of {count} records after {seconds} s"
        await asyncio.sleep(0.1)


async def test_three_kills_lose_nothing_and_repeat_little(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix)
    for topic, count in RECORDS.items():
        await fill(settings, topic, count, partitions=PARTITIONS)
    journal = tmp_path / "journal"
    command = [sys.executable, "-m", "tests.faults.kafka.worker", kafka_bootstrap, topic_prefix, str(journal)]
    total = sum(RECORDS.values())
    worker = start(command)
    try:
        for kill in range(1, 4):
            await grown_to(journal, kill * total // 5, seconds=60)
            worker.kill()
            worker.wait(timeout=10)
            worker = start(command)
        await grown_to(journal, total, seconds=90)
        deadline = time.monotonic() + 20
        while sum([sum(await committed(settings, "w", topic, PARTITIONS)) for topic in RECORDS]) != total:
            assert time.monotonic() < deadline, "the end was never committed"
    finally:
        worker.kill()
        worker.wait(timeout=10)
        admin = admin_client(settings)
        for future in admin.delete_topics([settings.physical(topic) for topic in RECORDS]).values():
            future.result(timeout=10)
    done = lines(journal)
    assert Counter(topic for topic, _, _ in done) == RECORDS
    print(f"{sum(done.values()) - total} of {total} records were done twice over 3 kills")
    # A kill repeats what was finished within the last commit interval or was in flight; never a whole partition.
    assert sum(done.values()) - total < total // 2
