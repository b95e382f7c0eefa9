"""A broadcast reader knows the whole topic before anybody asks, and hears of every change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.integration.vigilo.adapters.streams.stage import Stage
from tests.integration.vigilo.adapters.streams.test_restart import write_in_transaction
from vigilo.adapters.streams import BroadcastReader, StreamSettings


def write_rules(stage: Stage, *rules: tuple[str, bytes | None]) -> None:
    for key, value in rules:
        stage.write("rules", key.encode(), value, [("ce_id", b"1")], partition=0)
    stage.flush()


@pytest.fixture
async def reader(stage: Stage) -> AsyncIterator[BroadcastReader]:
    stage.create_topic("rules", policy="compact", partitions=1)
    made = BroadcastReader("rules")
    yield made
    await made.close()


def settings_of(stage: Stage) -> StreamSettings:
    return StreamSettings(bootstrap=stage.bootstrap, topic_prefix=stage.prefix)


async def test_it_has_caught_up_with_the_latest_record_of_each_key(stage: Stage, reader: BroadcastReader) -> None:
    write_rules(stage, ("a", b"1"), ("b", b"1"), ("a", b"2"), ("b", None), ("c", b"1"))
    await reader.start(settings_of(stage))
    assert reader.caught_up
    assert {key: record.value for key, record in reader.records.items()} == {"a": b"2", "c": b"1"}
    assert reader.records["a"].topic == "rules"
    assert reader.records["a"].header("ce_id") == "1"
    assert reader.version == 5
    assert reader.lag == 0


async def test_an_empty_topic_is_caught_up_at_once(stage: Stage, reader: BroadcastReader) -> None:
    await reader.start(settings_of(stage))
    assert (reader.caught_up, reader.version, dict(reader.records)) == (True, 0, {})


async def test_an_end_without_a_record_is_reached(stage: Stage, reader: BroadcastReader) -> None:
    write_rules(stage, ("a", b"1"))
    await write_in_transaction(stage, "rules", 0)
    await asyncio.wait_for(reader.start(settings_of(stage)), 20)
    assert reader.version == 3
    assert "a" in reader.records


async def test_changes_are_told_together_with_the_version_that_has_them(stage: Stage, reader: BroadcastReader) -> None:
    heard: list[tuple[frozenset[str], int, bytes | None]] = []
    changed = asyncio.Event()

    def on_change(keys: frozenset[str]) -> None:
        record = reader.records.get("a")
        heard.append((keys, reader.version, None if record is None else record.value))
        changed.set()

    reader.on_change = on_change
    write_rules(stage, ("a", b"1"))
    await reader.start(settings_of(stage))
    assert heard == []
    following = asyncio.create_task(reader.follow())
    write_rules(stage, ("a", b"2"))
    await asyncio.wait_for(changed.wait(), 20)
    changed.clear()
    write_rules(stage, ("a", None))
    await asyncio.wait_for(changed.wait(), 20)
    following.cancel()
    assert heard == [(frozenset({"a"}), 2, b"2"), (frozenset({"a"}), 3, None)]


async def test_catching_up_waits_for_all_that_is_written_by_then(stage: Stage, reader: BroadcastReader) -> None:
    told: set[str] = set()
    reader.on_change = told.update
    write_rules(stage, ("a", b"1"))
    await reader.start(settings_of(stage))
    following = asyncio.create_task(reader.follow())
    await asyncio.wait_for(reader.catch_up(), 20)
    for number in range(20):
        write_rules(stage, (f"late-{number}", b"1"))
        await asyncio.wait_for(reader.catch_up(), 20)
        assert f"late-{number}" in told
    await write_in_transaction(stage, "rules", 0)
    await asyncio.wait_for(reader.catch_up(), 20)
    following.cancel()
    assert reader.version == len(told) + 2, "the record of before, and the marker"
