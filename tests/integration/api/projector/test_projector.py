"""The running projector, on real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from pydantic import SecretStr

from services.api.migrate import migrate
from services.api.projector.admission import admit
from services.api.projector.app import EmbeddedProjector
from services.api.projector.run import batch_of
from services.api.projector.store import OffsetsMoved, Store
from tests.fakes.api_client import acting_as, api_settings, client_of, furnish
from tests.fakes.observations import Observations, in_partitions
from tests.fakes.read_model import Letters, counts_of, dumped, replayed
from tests.integration.api.projector.conftest import FOR_EVER, PARTITIONS, caught_up, eventually, positions, sent
from tests.servers import fresh_database
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


async def as_replayed(postgres_url: str, events: list[EncodedEvent]) -> tuple[dict[str, list[str]], Letters]:
    """What a clean replay of the events leaves, and the dead letters it writes."""
    letters = Letters()
    with fresh_database(postgres_url) as url:
        migrate(url, {})
        await replayed(
            url, in_partitions(iter(events), partitions=PARTITIONS), partitions=PARTITIONS, letters=letters, size=100
        )
        with psycopg.connect(url) as connection:
            return dumped(connection), letters


def read_model_of(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as connection:
        return {name: rows for name, rows in dumped(connection).items() if name != "projector_offsets"}


def dead_letters(kafka: KafkaSettings) -> list[bytes]:
    """The reasons in the topic."""
    name = kafka.physical("dead-letters")
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "t", "enable.auto.commit": False})
    try:
        wanted = [TopicPartition(name, number, 0) for number in range(PARTITIONS)]
        ends = sum(client.get_watermark_offsets(one, timeout=10)[1] for one in wanted)
        client.assign(wanted)
        messages = client.consume(ends, timeout=20) if ends else []
        return [dict(message.headers() or [])["vigilo_dlq_reason"] for message in messages]  # type: ignore[misc]
    finally:
        client.close()


async def test_the_running_projector_leaves_what_a_replay_leaves(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector, postgres_url: str
) -> None:
    events = list(Observations(21).draw(1_500))
    await sent(kafka, events)
    await caught_up(kafka, migrated)
    expected, letters = await as_replayed(postgres_url, events)
    assert read_model_of(migrated) == {name: rows for name, rows in expected.items() if name != "projector_offsets"}
    assert sorted(reason.decode() for reason in dead_letters(kafka)) == sorted(letters.reasons) != []
    assert projector.check()[0]


async def test_it_also_runs_inside_the_api(kafka: KafkaSettings, migrated: str) -> None:
    tenants = furnish(migrated, hosts=4)
    inside = {"api_embed_projector": True, "projector_database_url": SecretStr(acting_as(migrated, "vigilo_projector"))}
    async with client_of(api_settings(migrated, kafka, history=FOR_EVER, **inside)) as client:
        await sent(kafka, Observations(21).draw(300))
        await caught_up(kafka, migrated)
        for tenant in tenants:
            answer = await client.get(tenant.url("/alerts"), headers=tenant.headers)
            assert answer.json()["items"]
        ready = await client.get("/readyz", headers=tenants[0].headers)
        assert ready.json()["checks"]["projector"] == {"ok": True, "phase": "projecting", "events": 300}


async def test_a_topic_full_of_poison_stops_it_instead_of_being_drained(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector
) -> None:
    good = next(Observations(1).draw(1))
    await sent(kafka, [EncodedEvent("snapshots", good.key, b"{", ()) for _ in range(400)])
    await eventually(lambda: not projector.running, seconds=30, what=lambda: projector.progress.phase)
    assert type(projector.failure).__name__ == "TooManyDeadLetters"
    assert not projector.alive()[0]
    assert len(dead_letters(kafka)) < 400


async def test_offsets_of_a_frozen_projector_are_refused(kafka: KafkaSettings, migrated: str) -> None:
    logs = in_partitions(Observations(3).draw(60), partitions=PARTITIONS)
    one = max(logs, key=lambda each: len(logs[each]))
    verdicts = [admit(record, partitions=counts_of(logs, PARTITIONS)) for record in logs[one]]
    frozen, other = (Store(migrated, role="vigilo_projector") for _ in range(2))
    try:
        seen = frozen.positions([Partition(*one)])
        with other.applied(batch_of(verdicts, other.positions([Partition(*one)]))):
            pass
        with psycopg.connect(migrated) as connection:
            before = dumped(connection)
        with pytest.raises(OffsetsMoved), frozen.applied(batch_of(verdicts, seen)):
            raise AssertionError("the offsets were accepted")
        with psycopg.connect(migrated) as connection:
            assert dumped(connection) == before
    finally:
        frozen.close()
        other.close()


async def test_only_one_of_two_projects_and_the_other_takes_over(kafka: KafkaSettings, migrated: str) -> None:
    first, second = (Store(migrated, role="vigilo_projector") for _ in range(2))
    assert first.lead(idle_limit_ms=30_000)
    assert not second.lead(idle_limit_ms=30_000)
    first.close()
    await eventually(lambda: second.lead(idle_limit_ms=30_000), seconds=5, what=lambda: "the lock is still held")
    second.close()


async def test_a_leader_that_says_nothing_loses_its_place(kafka: KafkaSettings, migrated: str) -> None:
    silent, second = (Store(migrated, role="vigilo_projector") for _ in range(2))
    assert silent.lead(idle_limit_ms=300)
    await eventually(lambda: second.lead(idle_limit_ms=30_000), seconds=10, what=lambda: "the lock is still held")
    with pytest.raises(psycopg.OperationalError):
        silent.prove()
    second.close()


@contextmanager
def process(kafka: KafkaSettings, database: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m services.api.projector`; killed afterwards if it still runs."""
    environment = {
        **os.environ,
        "VIGILO_DATABASE_URL": acting_as(database, "vigilo_projector"),
        "VIGILO_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "VIGILO_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "VIGILO_HISTORY": "36500d",
    }
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "services.api.projector"], env=environment, stdout=output, stderr=output
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(10)


@pytest.mark.slow
async def test_sigkill_again_and_again_leaves_what_a_replay_leaves(
    kafka: KafkaSettings, migrated: str, postgres_url: str, tmp_path: Path
) -> None:
    events = list(Observations(31, hosts=40).draw(12_000))
    chance = random.Random(31)
    for begin in range(0, len(events), 2_000):
        with process(kafka, migrated, tmp_path / "projector.log") as child:
            before = sum(positions(migrated).values())
            await sent(kafka, events[begin : begin + 2_000])
            await eventually(lambda: sum(positions(migrated).values()) > before, seconds=30, what=lambda: "no progress")  # noqa: B023
            await asyncio.sleep(chance.random() * 0.4)
            child.send_signal(signal.SIGKILL)
    with process(kafka, migrated, tmp_path / "projector.log"):
        await caught_up(kafka, migrated, seconds=60)
    expected, _ = await as_replayed(postgres_url, events)
    assert read_model_of(migrated) == {name: rows for name, rows in expected.items() if name != "projector_offsets"}


@pytest.mark.slow
async def test_a_frozen_process_is_replaced_and_does_no_harm_when_it_wakes(
    kafka: KafkaSettings, migrated: str, postgres_url: str, tmp_path: Path
) -> None:
    events = list(Observations(41).draw(3_000))
    with process(kafka, migrated, tmp_path / "frozen.log") as frozen:
        await sent(kafka, events[:1_000])
        await caught_up(kafka, migrated)
        frozen.send_signal(signal.SIGSTOP)
        with process(kafka, migrated, tmp_path / "second.log"):
            await sent(kafka, events[1_000:2_000])
            # The server ends the silent session after 30 s; then the second one leads.
            await caught_up(kafka, migrated, seconds=60)
            frozen.send_signal(signal.SIGCONT)
            await sent(kafka, events[2_000:])
            await caught_up(kafka, migrated)
            assert frozen.poll() is None
    expected, _ = await as_replayed(postgres_url, events)
    assert read_model_of(migrated) == {name: rows for name, rows in expected.items() if name != "projector_offsets"}
