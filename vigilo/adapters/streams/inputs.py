"""From a record to an input a processor can decide on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from vigilo.events.codec import UndecodableRecord, decode, key_uuid
from vigilo.events.envelope import Event, Record
from vigilo.events.partitioner import partition_for
from vigilo.ports.processing import Input

# Of ids for records that bring none (outside systems may write plain JSON).
_NAMESPACE = UUID("0b1c1d0a-3a35-5c8e-9a54-27a4b4e0f6c2")


class InputReader:
    """Reads records of host-keyed topics.

    `models` by logical topic name; `compacted` names the topics in which a record without value means deletion.
    """

    def __init__(self, models: Mapping[str, type[Event]], *, partitions: int, compacted: frozenset[str]) -> None:
        self._models = models
        self._partitions = partitions
        self._compacted = compacted

    def read(self, record: Record) -> Input:
        """The input in this record. Raises UndecodableRecord (codec's reasons, or `wrong-partition`)."""
        key_uuid(record)
        self._check_partition(record)
        event = None
        if record.value is not None or record.topic not in self._compacted:
            event = decode(record, self._models[record.topic])
        return Input(record=record, event=event, ce_id=record.header("ce_id") or derived_id(record))

    def _check_partition(self, record: Record) -> None:
        right = partition_for(record.key or b"", self._partitions)
        if right != record.partition:
            raise UndecodableRecord(
                "wrong-partition", f"the key belongs to partition {right} of {self._partitions}, not {record.partition}"
            )


def derived_id(record: Record) -> str:
    """The id of a record that brings none: its place in the topic."""
    return str(uuid5(_NAMESPACE, f"{record.topic}/{record.partition}/{record.offset}"))
