"""Any inputs in any batches, with a crash after any record: what is durable tells of one decision per input."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.vigilo.adapters.streams.counting import Count, Counted
from tests.unit.vigilo.adapters.streams.kafka_model import (
    GUARD,
    NOTES,
    PARTITIONS,
    Broker,
    Clock,
    Crash,
    Durable,
    Life,
)
from vigilo.adapters.streams.rows import GuardRow
from vigilo.events.partitioner import partition_for
from vigilo.ports.deadletters import TooManyDeadLetters

KEYS = [str(UUID(int=number, version=4)).encode() for number in range(1, 5)]
KINDS: Mapping[str, bytes] = {
    "quiet": b"{}",
    "loud": b'{"loud": true}',
    "noted": b'{"note": "NOTE"}',
    "noted aloud": b'{"loud": true, "note": "NOTE"}',
    "note away": b'{"loud": true, "note": ""}',
    "forgotten": b'{"forget": true}',
    "forgotten aloud": b'{"loud": true, "forget": true}',
    "refused": b'{"refuse": true}',
    "rubbish": b"rubbish",
}
REFUSED = frozenset({KINDS["refused"], KINDS["rubbish"]})

told = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(["told", "told-also"]), st.sampled_from(sorted(KINDS))),
    min_size=12,
    max_size=40,
)
lives = st.lists(st.tuples(st.integers(0, 2**32), st.integers(1, 9), st.integers(0, 60)), min_size=1, max_size=6)


def filled(inputs: list[tuple[bytes, str, str]]) -> Broker:
    broker = Broker()
    for number, (key, topic, kind) in enumerate(inputs):
        value = KINDS[kind].replace(b"NOTE", b"note %d" % number)
        broker.inputs[topic, partition_for(key, PARTITIONS)].append((key, value))
    return broker


def run(broker: Broker, ended: list[tuple[int, int, int]], limit: int) -> None:
    """Lives that crash after so many records, then one that does not."""
    clock = Clock()
    for seed, size, dies_after in ended:
        try:
            asyncio.run(Life(broker, clock, seed=seed, limit=size, dies_after=dies_after).live())
        except Crash:
            continue
    asyncio.run(Life(broker, clock, seed=limit, limit=limit, dies_after=None).live())
    assert broker.done


def assert_each_input_is_decided_once(broker: Broker) -> None:
    """One guard row per accepted input, a dead letter per refused one, nothing else."""
    rows = decided(broker)
    applied = Counter((row.input.topic, row.input.partition, row.input.offset) for _, row in rows)
    assert max(applied.values(), default=1) == 1
    letters = {place_of(letter) for letter in broker.of("dead-letters")}
    for (topic, partition), records in broker.inputs.items():
        for offset, (_, value) in enumerate(records):
            refused = value in REFUSED
            assert ((topic, partition, offset) in letters) == refused
            if value != KINDS["forgotten"]:  # of an unknown key: no trace
                assert applied[topic, partition, offset] == (not refused)


def assert_rows_say_what_was_said(broker: Broker) -> None:
    """Each row follows from the one before; its outbox is said once it is durable and before it is replaced."""
    said = defaultdict(list)
    for number, one in enumerate(broker.log):
        if one.topic == "counted":
            said[one.headers].append((number, one))
    by_id = Counter(dict(headers)["ce_id"] for headers in said)
    assert max(by_id.values(), default=1) == 1
    before: dict[bytes, tuple[int, GuardRow[Count]]] = {}
    owed = 0
    for number, row in decided(broker):
        key = broker.log[number].key
        assert_follows(row, before.get(key))
        for event in row.outbox:
            owed += 1
            times = said[event.encoded().headers]
            assert {(one.key, one.value) for _, one in times} == {(event.encoded().key, event.encoded().value)}
            assert min(at for at, _ in times) > number
        if key in before and before[key][1].outbox:
            at, last = before[key]
            assert any(at < when < number for when, _ in said[last.outbox[0].encoded().headers])
        before[key] = number, row
    assert owed == len(said)


def assert_side_rows_go_with_their_decisions(broker: Broker) -> None:
    """A decision sees the side row of the decision before it; a guard row names a side row that is durable."""
    notes: dict[bytes, str | None] = {}
    durable: dict[bytes, bytes | None] = {}
    for one in broker.log:
        if one.topic == NOTES:
            durable[one.key] = one.value
        if one.topic != GUARD or one.value is None:
            continue
        row = GuardRow[Count].model_validate_json(one.value)
        topic, partition, offset = row.input.topic, row.input.partition, row.input.offset
        asked = json.loads(broker.inputs[topic, partition][offset][1])
        for event in row.outbox:
            assert Counted.model_validate_json(event.value or "").note_before == notes.get(one.key)
        if asked.get("forget"):
            notes[one.key] = None
        elif "note" in asked:
            notes[one.key] = asked["note"] or None
        slots = [durable.get(b"%b/%d" % (one.key, slot)) for slot in row.side.values()]
        assert [json.loads(value or b"{}").get("text") for value in slots] == (
            [notes[one.key]] if notes.get(one.key) else []
        )


def survived(inputs: list[tuple[bytes, str, str]], ended: list[tuple[int, int, int]], limit: int) -> None:
    """Runs the lives and judges what is durable."""
    broker = filled(inputs)
    run(broker, ended, limit)
    assert_each_input_is_decided_once(broker)
    assert_rows_say_what_was_said(broker)
    assert_side_rows_go_with_their_decisions(broker)


@given(told, lives, st.integers(1, 9))
@settings(max_examples=80, deadline=None)
def test_every_input_has_one_effect_whatever_dies(
    inputs: list[tuple[bytes, str, str]], ended: list[tuple[int, int, int]], limit: int
) -> None:
    survived(inputs, ended, limit)


@pytest.mark.slow
@given(told, lives, st.integers(1, 9))
@settings(max_examples=3_000, deadline=None)
def test_every_input_has_one_effect_in_many_more_cases(
    inputs: list[tuple[bytes, str, str]], ended: list[tuple[int, int, int]], limit: int
) -> None:
    survived(inputs, ended, limit)


@given(told, st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_batches_of_any_size_leave_what_batches_of_one_leave(inputs: list[tuple[bytes, str, str]], limit: int) -> None:
    alone, together = (filled([(key, "told", kind) for key, _, kind in inputs]) for _ in range(2))
    for broker, size in ((alone, 1), (together, limit)):
        # When a commit comes is chance, and with it when the row of a deleted key goes: only at the end here.
        asyncio.run(Life(broker, frozen, seed=7, limit=size, dies_after=None, commits=0).live())
    for topic in (GUARD, NOTES, "counted", "dead-letters"):
        assert by_key(together, topic) == by_key(alone, topic)


def test_too_many_refusals_stop_in_the_middle_of_a_batch() -> None:
    here = [str(UUID(int=number, version=4)).encode() for number in range(100)]
    here = [key for key in here if partition_for(key, PARTITIONS) == 0][:6]
    kinds = ["rubbish", "loud", "rubbish", "refused", "loud", "rubbish"]
    broker = filled([(key, "told", kind) for key, kind in zip(here, kinds, strict=True)])
    life = Life(broker, frozen, seed=3, limit=200, dies_after=None, commits=0, stop_after=2)
    with pytest.raises(TooManyDeadLetters):
        asyncio.run(life.live())
    assert sorted(place_of(letter)[2] for letter in broker.of("dead-letters")) == [0, 2, 3]
    assert [row.input.offset for _, row in decided(broker)] == [1]
    assert len(broker.of("counted")) == 1
    assert broker.committed == {}


def frozen() -> datetime:
    """A clock that stands still."""
    return datetime(2026, 11, 24, tzinfo=UTC)


def by_key(broker: Broker, topic: str) -> dict[bytes, list[Durable]]:
    """Each key's records."""
    found: dict[bytes, list[Durable]] = defaultdict(list)
    for one in broker.of(topic):
        found[one.key].append(one)
    return found


def decided(broker: Broker) -> list[tuple[int, GuardRow[Count]]]:
    """All durable guard rows and their places in the log."""
    return [
        (number, GuardRow[Count].model_validate_json(one.value))
        for number, one in enumerate(broker.log)
        if one.topic == GUARD and one.value is not None
    ]


def place_of(letter: Durable) -> tuple[str, int, int]:
    """Where the refused input lies."""
    headers = {name: value.decode() for name, value in letter.headers}
    return headers["vigilo_dlq_topic"], int(headers["vigilo_dlq_partition"]), int(headers["vigilo_dlq_offset"])


def assert_follows(row: GuardRow[Count], before: tuple[int, GuardRow[Count]] | None) -> None:
    """The row's history is that of the row before and its own input."""
    earlier = before[1].state if before else None
    word = f"{row.input.topic}/{row.input.offset}"
    if row.state is not None:
        assert row.state.history == (*(earlier.history if earlier else ()), word)
        assert row.state.count == (earlier.count if earlier else 0) + 1
    if before is not None and row.input.topic in before[1].offsets:
        assert row.input.offset > before[1].offsets[row.input.topic]
