from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.api.projector.admission import TOPICS, Admitted, Refused, admit, workspace_of
from tests.fakes.observations import APPENDED_AT, Observations, in_partitions
from vigilo.events.envelope import Record
from vigilo.events.partitioner import partition_for

PARTITIONS = 5
COUNTS = dict.fromkeys(TOPICS, PARTITIONS)
OBSERVED = in_partitions(Observations(2).draw(400), partitions=PARTITIONS)
GOOD = [record for log in OBSERVED.values() for record in log if isinstance(admit(record, partitions=COUNTS), Admitted)]


def good(topic: str) -> Record:
    return next(record for record in GOOD if record.topic == topic and record.value is not None)


def refusal(record: Record) -> str:
    verdict = admit(record, partitions=COUNTS)
    assert isinstance(verdict, Refused)
    return verdict.reason


@pytest.mark.parametrize("topic", TOPICS)
def test_good_records_of_every_topic_are_admitted_with_their_key(topic: str) -> None:
    verdict = admit(good(topic), partitions=COUNTS)
    assert isinstance(verdict, Admitted) and verdict.event is not None
    assert str(verdict.subject).encode() == good(topic).key
    assert isinstance(workspace_of(verdict.event), UUID)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_record_in_anothers_partition_is_refused(topic: str) -> None:
    record = good(topic)
    assert refusal(replace(record, partition=(record.partition + 1) % PARTITIONS)) == "wrong-partition"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_key_that_is_not_what_the_event_is_about_is_refused(topic: str) -> None:
    other = b"0190b000-0000-7000-8000-0000000000ff"
    assert refusal(replace(good(topic), key=other, partition=partition_for(other, PARTITIONS))) == "bad-key"
    assert refusal(replace(good(topic), key=(good(topic).key or b"").upper())) == "bad-key"
    assert refusal(replace(good(topic), key=None)) == "bad-key"


@pytest.mark.parametrize("topic", TOPICS)
def test_only_a_work_item_may_be_buried(topic: str) -> None:
    buried = replace(good(topic), value=None)
    if topic == "work-items":
        verdict = admit(buried, partitions=COUNTS)
        assert isinstance(verdict, Admitted) and verdict.event is None
    else:
        assert refusal(buried) == "tombstone"


def test_times_are_judged_by_the_brokers_clock_not_by_ours() -> None:
    record = good("snapshots")
    verdict = admit(record, partitions=COUNTS)
    assert isinstance(verdict, Admitted) and verdict.event is not None
    requested = datetime.fromisoformat(str(verdict.event.requested_at))  # type: ignore[union-attr]
    earliest = requested - timedelta(days=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    millis = (earliest - epoch) // timedelta(milliseconds=1)
    assert isinstance(admit(replace(record, timestamp_ms=millis), partitions=COUNTS), Admitted)
    assert refusal(replace(record, timestamp_ms=millis - 1)) == "bad-time"
    assert requested < APPENDED_AT
