"""Refused records land whole in dead-letters, and `vigilo dlq` finds them."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from vigilo.adapters.kafka.deadletters import DeadLetter, DeadLetters, read_dead_letters
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record
from vigilo.ports.deadletters import StopLimit, TooManyDeadLetters
from vigilo_cli.dlq import app

pytestmark = pytest.mark.kafka

POISON = [
    Record("snapshots", 0, 1, 0, b"key", b"not json", (("ce_id", b"1"), ("x", b"\xff\xfe"))),
    Record("snapshots", 1, 2, 0, b"\xff\x00", b"\x80\x81", ()),
    Record("snapshots", 2, 3, 0, None, b"{}", (("twice", b"a"), ("twice", b"b"))),
    Record("hosts", 3, 4, 0, b"key", None, ()),
    Record("hosts", 3, 5, 0, b"", b"", ()),
]


@pytest.fixture
def topic(kafka: KafkaSettings) -> KafkaSettings:
    """Settings with the real dead-letters topic behind them."""
    rows = [load_rows()["dead-letters"]]
    apply(kafka, wanted_topics(rows, host_partitions=4, history=timedelta(days=400)))
    return kafka


async def refuse(kafka: KafkaSettings, *records: Record, limit: StopLimit | None = None) -> None:
    async with Producer(kafka, client_id="test") as producer:
        letters = DeadLetters(producer, service="grader", limit=limit)
        for record in records:
            await letters.refuse(record, reason="invalid", detail="no good")


async def read_all(kafka: KafkaSettings) -> list[DeadLetter]:
    return [letter async for letter in read_dead_letters(kafka, timeout=timedelta(seconds=30))]


async def test_every_poison_comes_back_as_it_was(topic: KafkaSettings) -> None:
    await refuse(topic, *POISON)
    letters = await read_all(topic)
    assert [(letter.record.key, letter.record.value, letter.headers) for letter in letters] == [
        (record.key, record.value, record.headers) for record in POISON
    ]
    assert [letter.origin for letter in letters] == [f"{r.topic}/{r.partition}/{r.offset}" for r in POISON]
    assert {letter.about["service"] for letter in letters} == {"grader"}


async def test_an_empty_topic_is_read_at_once(topic: KafkaSettings) -> None:
    assert await read_all(topic) == []


async def test_a_value_that_fits_its_own_topic_fits_dead_letters(topic: KafkaSettings) -> None:
    value = os.urandom(1_000_000)
    await refuse(topic, Record("snapshots", 0, 1, 0, b"key", value, (("h", b"x" * 20_000),)))
    (letter,) = await read_all(topic)
    assert letter.record.value == value


async def test_a_value_that_only_fitted_compressed_is_left_out_and_says_so(topic: KafkaSettings) -> None:
    await refuse(topic, Record("snapshots", 0, 1, 0, b"key", b"a" * 5_000_000, ()), POISON[0])
    first, second = await read_all(topic)
    assert (first.record.value, first.about["value_omitted"], first.origin) == (None, "5000000", "snapshots/0/1")
    assert second.record.value == POISON[0].value


async def test_a_service_that_refuses_too_much_stops_before_the_topic_is_drained(topic: KafkaSettings) -> None:
    with pytest.raises(TooManyDeadLetters):
        await refuse(topic, *POISON, limit=StopLimit(consecutive=3))
    assert len(await read_all(topic)) == 2


def test_the_command_line_lists_and_shows(topic: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(refuse(topic, *POISON))
    monkeypatch.setenv("VIGILO_KAFKA_BOOTSTRAP", topic.bootstrap)
    monkeypatch.setenv("VIGILO_KAFKA_TOPIC_PREFIX", topic.topic_prefix)
    run = CliRunner().invoke
    listed = run(app, ["list"])
    assert listed.exit_code == 0, listed.output
    assert "5 of 5 dead letters" in listed.stdout
    assert "hosts/3/4" in listed.stdout
    assert "0 of 5" in run(app, ["list", "--service", "alerter"]).stdout
    shown = run(app, ["show", "snapshots/1/2"])
    assert "key          0xff00" in shown.stdout
    assert run(app, ["show", "snapshots/1/99"]).exit_code == 1


def test_without_the_topic_the_command_says_what_to_do(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("VIGILO_KAFKA_TOPIC_PREFIX", kafka.topic_prefix)
    result = CliRunner().invoke(app, ["list"])
    assert result.exit_code == 1
    assert "vigilo topics apply" in result.stderr
