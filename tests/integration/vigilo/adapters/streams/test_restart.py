"""What a restarted worker makes of what the one before it left behind: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.integration.vigilo.adapters.streams.counting import Count
from tests.integration.vigilo.adapters.streams.stage import GUARD, NOTES, Stage, key_in, wait_until
from vigilo.adapters.streams.rows import AppliedInput, GuardRow, StoredEvent

AT = datetime(2026, 11, 23, tzinfo=UTC)


def pending_row(key: str, *, topic: str, partition: int, offset: int, side: dict[str, int] | None = None) -> bytes:
    """The row of a decision whose outbox was never emitted: the worker died in between."""
    stored = StoredEvent(
        topic="counted", key=key, value='{"n":1000,"count":1}', headers=[("ce_id", f"stored-{offset}"), ("x", "ü")]
    )
    row = GuardRow[Count](
        offsets={topic: offset},
        state=Count(count=1, history=(f"{topic}/{offset}",)),
        outbox=[stored],
        input=AppliedInput(topic=topic, partition=partition, offset=offset, at=AT),
        side=side or {},
    )
    return row.model_dump_json().encode()


def test_redelivered_events_decide_nothing_and_the_last_ones_say_the_same_again(stage: Stage) -> None:
    stage.create_topics()
    keys = [key_in(number % 4) for number in range(8)]
    for n in range(80):
        stage.tell(keys[n % 8], n=n, loud=True)
    stage.flush()
    first = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert first.stop() == 0
    rows = {key: one.value for key, one in stage.latest_rows().items()}
    answers = stage.read("counted")

    stage.commit("told", dict.fromkeys(range(4), 0))
    stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()

    assert {key: one.value for key, one in stage.latest_rows().items()} == rows
    repeated = stage.read("counted")
    assert len(repeated) == len(answers) + 8
    for key in keys:
        said = [(one.value, one.headers) for one in repeated if one.key == key.encode()]
        assert said[-1] == said[-2]
        assert len(set(said)) == 10


def test_what_a_dead_worker_decided_is_said_as_stored_before_another_topic_comes_first(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(1)
    # Offset 30 of `told` is the applied input; the one event of `told-also` will be delivered before it.
    for _ in range(30):
        stage.tell(key_in(1))
    stage.tell(key, n=5, loud=True)
    stage.tell(key, topic="told-also", n=6, loud=True)
    stage.write(GUARD, key.encode(), pending_row(key, topic="told", partition=1, offset=30), partition=1)
    stage.flush()
    stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    said = stage.of_key("counted", key)
    assert said[0].json() == {"n": 1000, "count": 1}
    assert said[0].headers == (("ce_id", b"stored-30"), ("x", "ü".encode()))
    assert [one.json()["n"] for one in said if one.header("ce_id") != "stored-30"] == [6]
    assert stage.latest_rows()[key.encode()].json()["state"]["count"] == 2


def test_a_side_row_whose_decision_was_lost_is_not_seen(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(2)
    stage.tell(key, n=0, note="old")
    stage.flush()
    first = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert first.stop() == 0
    # The next decision wrote its side row, then the worker died before the guard row.
    stage.write(NOTES, f"{key}/1".encode(), b'{"text": "never decided"}', partition=2)
    stage.tell(key, n=1, loud=True, note="new")
    stage.tell(key, n=2, loud=True)
    stage.flush()
    second = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert [one.json().get("note_before") for one in stage.of_key("counted", key)] == ["old", "new"]
    wait_until(lambda: second.status()["rows"]["notes"] == 1, "left-over side rows stay in memory")


def test_timers_survive_a_restart(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(0)
    stage.tell(key, n=1, wake_after_ms=6_000)
    stage.flush()
    first = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    first.kill()
    stage.start(SESSION_TIMEOUT_S="6")
    wait_until(lambda: bool(stage.of_key("counted", key)), "the timer was forgotten")
    assert [one.json()["n"] for one in stage.of_key("counted", key)] == [-1]


def test_a_recreated_input_topic_is_refused(stage: Stage) -> None:
    stage.create_topics()
    for n in range(20):
        stage.tell(key_in(n % 4))
    stage.flush()
    first = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert first.stop() == 0
    stage.delete_topics(["told"])
    stage.create_topic("told")
    second = stage.start()
    assert second.exit_code() == 70
    assert "the topic was recreated" in second.log()


def test_a_row_from_beyond_its_topics_end_is_refused(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(3)
    stage.write(GUARD, key.encode(), pending_row(key, topic="told", partition=3, offset=8), partition=3)
    stage.flush()
    worker = stage.start()
    assert worker.exit_code() == 70
    assert "told/3 ends at offset 0, but offset 8 was already applied" in worker.log()


def test_recovery_ends_although_the_changelogs_last_offset_holds_no_record(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(1)
    stage.write(GUARD, key.encode(), pending_row(key, topic="counting-wakeups", partition=1, offset=0), partition=1)
    stage.write("counting-wakeups", key.encode(), b"{}", partition=1)
    stage.flush()
    # A transaction's marker takes an offset that no reader is ever given, as compaction of the last record does.
    asyncio.run(write_in_transaction(stage, GUARD, 1))
    worker = stage.start(COMMIT_INTERVAL_S="0.2")
    worker.until_ready(partitions=range(4))
    stage.until_done()
    assert [one.header("ce_id") for one in stage.of_key("counted", key)] == ["stored-0"]


def test_a_gap_in_a_topic_that_has_none_ends_the_process_before_it_is_committed(stage: Stage) -> None:
    stage.create_topics()
    asyncio.run(write_in_transaction(stage, "told", 2))
    stage.write("told", key_in(2).encode(), b"{}", partition=2)
    stage.flush()
    worker = stage.start(COMMIT_INTERVAL_S="0.2")
    assert worker.exit_code() == 70
    assert "records are missing in" in worker.log()
    assert stage.committed("told").get(2, 0) <= 1


def test_records_lost_to_retention_are_no_gap(stage: Stage) -> None:
    stage.create_topics()
    key = key_in(2)
    for n in range(6):
        stage.tell(key, n=n, loud=True)
    stage.flush()
    first = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert first.stop() == 0
    for n in range(6, 12):
        stage.tell(key, n=n, loud=True)
    stage.flush()
    stage.trim("told", {2: 9})
    second = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert [one.json()["n"] for one in stage.of_key("counted", key)] == [*range(6), *range(9, 12)]
    assert "to retention" in second.log()


async def write_in_transaction(stage: Stage, topic: str, partition: int) -> None:
    """Writes one harmless record and the marker of its transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=stage.bootstrap, transactional_id=f"{stage.prefix}marker")
    await producer.start()
    async with producer.transaction():
        value = None if topic == GUARD else json.dumps({}).encode()
        sent = await producer.send_and_wait(
            stage.prefix + topic, value, key=key_in(partition).encode(), partition=partition
        )
    # The broker writes the marker in its own time, behind the record.
    place = TopicPartition(stage.prefix + topic, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap)
    await consumer.start()
    async with asyncio.timeout(20):
        while (await consumer.end_offsets([place]))[place] < sent.offset + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await consumer.stop()
    await producer.stop()
