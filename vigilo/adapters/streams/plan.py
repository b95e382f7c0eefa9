"""From a decision to the bytes that are written for it. Pure.

A side table's row has two slots in its changelog, `<key>/0` and `<key>/1`; the guard row says which one counts. A new
side row goes to the other slot before the guard row is written, so a crash in between leaves the old pair intact: a
decision sees its own side row only once it is decided for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from vigilo.adapters.streams.rows import AppliedInput, GuardRow, RowCodec, StoredEvent, largest
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, Record
from vigilo.ports.processing import Decision

S = TypeVar("S", bound=BaseModel)


class TooLarge(Exception):
    """The decision does not fit. `reason` is the dead letter's: row-too-large or event-too-large."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SideWrite:
    """One write to a side table's changelog; `value` None removes the slot."""

    table: str
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, in this order: `side_puts`, `row`, `outbox`, `side_drops`.

    `row` None = the decision leaves no trace. `offsets` are the row's, for a row that is to go once they are committed;
    None while the key lives.
    """

    row: bytes | None
    outbox: tuple[EncodedEvent, ...]
    side_puts: tuple[SideWrite, ...]
    side_drops: tuple[SideWrite, ...]
    next_at: datetime | None
    offsets_of_deleted: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Planner(Generic[S]):
    """Turns decisions into writes. `source` is `ce_source`; limits in bytes."""

    codec: RowCodec[S]
    source: str
    guard_row_limit: int
    record_limit: int

    def plan(
        self,
        row: GuardRow[S] | None,
        decision: Decision[S],
        *,
        record: Record,
        at: datetime,
        side_bytes: Mapping[str, bytes],
    ) -> Plan:
        """The writes for one decision. `side_bytes` are the key's present side rows. Raises TooLarge."""
        if row is None and decision.state is None and not decision.outputs:
            return Plan(None, (), (), (), None, None)
        outbox = tuple(encode(outgoing, source=self.source) for outgoing in decision.outputs)
        slots = {} if row is None else dict(row.side)
        key = record.key or b""
        puts, drops = self._side(decision, key, slots, side_bytes)
        fields: dict[str, Any] = {
            "offsets": {**({} if row is None else row.offsets), record.topic: record.offset},
            "state": decision.state,
            "outbox": [],
            "input": AppliedInput(topic=record.topic, partition=record.partition, offset=record.offset, at=at),
            "next_at": None if decision.state is None else decision.next_at,
            "side": slots,
        }
        encoded = self._encoded(fields, outbox)
        self._check(outbox, puts, encoded)
        deleted = fields["offsets"] if decision.state is None else None
        return Plan(encoded, outbox, puts, drops, fields["next_at"], deleted)

    def _side(
        self, decision: Decision[S], key: bytes, slots: dict[str, int], present: Mapping[str, bytes]
    ) -> tuple[tuple[SideWrite, ...], tuple[SideWrite, ...]]:
        """The side writes before and after the row; moves `slots` on."""
        puts: list[SideWrite] = []
        drops: list[SideWrite] = []
        for table, value in self._side_rows(decision, slots):
            if value is not None and value == present.get(table):
                continue
            old = slots.pop(table, None)
            if old is not None:
                drops.append(SideWrite(table, slot_key(key, old), None))
            if value is not None:
                slots[table] = 0 if old is None else 1 - old
                puts.append(SideWrite(table, slot_key(key, slots[table]), value))
        return tuple(puts), tuple(drops)

    @staticmethod
    def _side_rows(decision: Decision[S], slots: Mapping[str, int]) -> Iterator[tuple[str, bytes | None]]:
        if decision.state is None:
            yield from ((table, None) for table in tuple(slots))
            return
        for table, model in decision.side.items():
            yield table, None if model is None else model.model_dump_json().encode("utf-8")

    def _encoded(self, fields: dict[str, Any], outbox: tuple[EncodedEvent, ...]) -> bytes:
        encoded = self.codec.encode(self.codec.row(**fields))
        if len(encoded) > self.guard_row_limit:
            raise TooLarge("row-too-large", f"the row has {len(encoded)} bytes, {self.guard_row_limit} are allowed")
        if not outbox:
            return encoded
        return self.codec.encode(self.codec.row(**{**fields, "outbox": [StoredEvent.of(event) for event in outbox]}))

    def _check(self, outbox: tuple[EncodedEvent, ...], puts: tuple[SideWrite, ...], row: bytes) -> None:
        sizes = {
            "event-too-large": largest(outbox),
            "row-too-large": max([len(row), *(len(put.value or b"") for put in puts)]),
        }
        for reason, size in sizes.items():
            if size > self.record_limit:
                raise TooLarge(reason, f"{size} bytes, {self.record_limit} are allowed")


def slot_key(key: bytes, slot: int) -> bytes:
    """The key of one slot in a side table's changelog."""
    return b"%b/%d" % (key, slot)


def slot_of(key: bytes) -> tuple[bytes, int]:
    """The row's key and the slot in a side table's key."""
    row_key, _, slot = key.rpartition(b"/")
    return row_key, int(slot)
