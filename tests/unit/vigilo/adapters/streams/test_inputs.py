"""From records to inputs: what cannot be used is refused with a stable reason."""

from __future__ import annotations

from typing import ClassVar

import pytest

from vigilo.adapters.streams.inputs import InputReader, derived_id
from vigilo.events.codec import UndecodableRecord
from vigilo.events.envelope import Event, Headers, Record
from vigilo.events.partitioner import partition_for

KEY = b"0192f0c4-7a5e-7000-8000-000000000001"
RIGHT = partition_for(KEY, 12)


class Told(Event):
    """An input."""

    type_name: ClassVar[str] = "told"
    n: int = 0


READER = InputReader({"told": Told, "hosts": Told}, partitions=12, compacted=frozenset({"hosts"}))


def record(
    value: bytes | None = b'{"n": 3}', *, topic: str = "told", key: bytes | None = KEY, partition: int = RIGHT
) -> Record:
    headers: Headers = ()
    return Record(topic, partition, 5, 0, key, value, headers)


def test_an_input_is_decoded_and_named_by_its_header() -> None:
    given = READER.read(Record("told", RIGHT, 5, 0, KEY, b'{"n": 3}', (("ce_id", b"abc"),)))
    assert given.event == Told(n=3)
    assert given.ce_id == "abc"


def test_a_record_without_an_id_gets_one_from_its_place() -> None:
    given = READER.read(record())
    assert given.ce_id == derived_id(record())
    assert given.ce_id != derived_id(Record("told", RIGHT, 6, 0, KEY, b"", ()))


def test_a_record_without_value_means_deletion_only_where_topics_are_compacted() -> None:
    assert READER.read(record(None, topic="hosts")).event is None
    with pytest.raises(UndecodableRecord) as refused:
        READER.read(record(None))
    assert refused.value.reason == "tombstone"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (record(key=None), "bad-key"),
        (record(key=KEY.upper()), "bad-key"),
        (record(partition=(RIGHT + 1) % 12), "wrong-partition"),
        (record(b"\xff"), "not-utf8"),
        (record(b"{"), "not-json"),
        (record(b'{"n": "x"}'), "invalid"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(given: Record, reason: str) -> None:
    with pytest.raises(UndecodableRecord) as refused:
        READER.read(given)
    assert refused.value.reason == reason
