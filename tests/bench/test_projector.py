"""How fast the projector is: events per second and core, from append to visible, and at rest."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from services.api.projector.admission import TOPICS
from services.api.projector.bounds import ends_of, partitions_of
from services.api.rebuild import rebuild
from tests.bench.figures import quantile, report
from tests.bench.processes import REPOSITORY, Rate
from tests.bench.projector_load import load, report_card, snapshot
from tests.integration.api.projector.conftest import caught_up, kafka, migrated, positions, sent
from tests.integration.api.projector.test_projector import process
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.settings import KafkaSettings
from vigilo.events import ids
from vigilo.events.codec import encode
from vigilo.events.envelope import OutgoingEvent

__all__ = ["kafka", "migrated"]

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.postgres]

HOSTS, ROUNDS = 1_000, 10
SINGLE = 200


def cpu_of(child: psutil.Process, database: str) -> float:
    """CPU seconds of the projector and of its PostgreSQL session, where that is a process of this machine."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity "
            "where application_name = 'vigilo-projector' and datname = current_database()"
        ).fetchall()
    sessions = [psutil.Process(row[0]) for row in rows if psutil.pid_exists(row[0])]
    return sum(sum(one.cpu_times()[:2]) for one in (child, *sessions))


def bare_consumer(kafka: KafkaSettings, total: int) -> Rate:
    """The same events through a consumer that does nothing but decode them."""
    arguments = [kafka.bootstrap, kafka.topic_prefix, str(total)]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare_consumer", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return Rate(**json.loads(answer.stdout))


async def test_a_backlog(kafka: KafkaSettings, migrated: str, tmp_path: Path) -> None:
    events_sent = list(load(HOSTS, ROUNDS))
    await sent(kafka, events_sent)
    total = len(events_sent)
    with process(kafka, migrated, tmp_path / "projector.log") as child:
        watched = psutil.Process(child.pid)
        while sum(positions(migrated).values()) == 0:  # noqa: ASYNC110  # another process works
            await asyncio.sleep(0.01)
        began, used, before = time.monotonic(), cpu_of(watched, migrated), sum(positions(migrated).values())
        await caught_up(kafka, migrated, seconds=120)
        seconds, core = time.monotonic() - began, cpu_of(watched, migrated) - used
        events = total - before
        report("projector, backlog, events per second", f"{events / seconds:,.0f}/s")
        report(
            "projector, backlog, events per second and core (with its PostgreSQL session)",
            f"{events / core:,.0f}/s",
            target="at least 3,000",
        )
        bare = await asyncio.to_thread(bare_consumer, kafka, total)
        report("  bare consumer that only decodes", f"{bare.per_core:,.0f}/s and core, {bare.per_second:,.0f}/s")
        report("  projector / bare, per core", f"{events / core / bare.per_core:.2f}")
        report("projector, memory after the backlog", f"{watched.memory_info().rss / 2**20:,.0f} MiB")
        at_rest = cpu_of(watched, migrated)
        await asyncio.sleep(10)
        report("projector, at rest", f"{(cpu_of(watched, migrated) - at_rest) * 10:.2f} % of a core")
    done = await rebuild(kafka, migrated, history=timedelta(days=36_500))
    report("rebuild, events per second, to the end of the swap", f"{done.events / done.seconds:,.0f}/s")
    report("rebuild, projector kept waiting", f"{done.paused_seconds * 1000:,.0f} ms")


async def test_from_append_to_visible(kafka: KafkaSettings, migrated: str, tmp_path: Path) -> None:
    delays = []
    with process(kafka, migrated, tmp_path / "projector.log"):
        async with (
            Producer(kafka, client_id="bench", linger_ms=0) as producer,
            await psycopg.AsyncConnection.connect(migrated, autocommit=True) as connection,
        ):
            await caught_up(kafka, migrated)
            await asyncio.sleep(3)
            for number in range(SINGLE):
                card = report_card(snapshot(number, 0))
                event = OutgoingEvent(
                    "report-cards", str(card.host_id), ids.report_card_id(card.scan_id), card, card.graded_at
                )
                await producer.send(encode(event, source="/tests/bench"))
                began = time.monotonic()
                query = "select from read_model.host_report_cards where host_id = %s"
                while not (await connection.execute(query, (card.host_id,))).rowcount:  # noqa: ASYNC110  # as above
                    await asyncio.sleep(0.0005)
                delays.append((time.monotonic() - began) * 1000)
                await asyncio.sleep(0.02)
    assert len(ends_of(kafka, partitions_of(kafka, TOPICS))) > len(TOPICS)
    report("projector, append acknowledged to visible, median", f"{quantile(delays, 0.5):.1f} ms")
    report("projector, append acknowledged to visible, 99 %", f"{quantile(delays, 0.99):.1f} ms")
