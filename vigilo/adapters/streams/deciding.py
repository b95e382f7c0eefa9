"""One record, looked at with the rows of its key: what is to be written and said. No waiting, nothing changed."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.inputs import InputReader
from vigilo.adapters.streams.plan import Plan, Planner, TooLarge, slot_key
from vigilo.adapters.streams.rows import GuardRow, SideRows, UnreadableRow
from vigilo.events.codec import UndecodableRecord
from vigilo.events.envelope import EncodedEvent, Record
from vigilo.ports.deadletters import dead_letter
from vigilo.ports.processing import Decision, Input, Processor

logger = logging.getLogger("vigilo.streams")

S = TypeVar("S", bound=BaseModel)


class RowReader(Protocol):
    """A table's rows in memory."""

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """What one record comes to, in the order it is written: `owed`, `plan`, `letter`.

    `owed` are events of the key's stored outbox: they must be out before its row is replaced. `plan` and `letter` (to
    dead-letters, for the reason `refused`) exclude each other; neither = the record was applied before. `confirms`:
    whatever the key's row still owed is out once `owed` is.
    """

    record: Record
    owed: tuple[EncodedEvent, ...] = ()
    plan: Plan | None = None
    letter: EncodedEvent | None = None
    refused: str = ""
    confirms: bool = False

    @property
    def key(self) -> bytes:
        """The row's key."""
        return self.record.key or b""

    @property
    def said(self) -> tuple[EncodedEvent, ...]:
        """What goes out once the row is durable."""
        if self.letter is not None:
            return (self.letter,)
        return () if self.plan is None else self.plan.outbox


class Refused(Exception):
    """The processor refuses the input."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider(Generic[S]):
    """Gathers and decides. `sides` are the side tables by name."""

    processor: Processor[S]
    reader: InputReader
    planner: Planner[S]
    guard: RowReader
    sides: Mapping[str, RowReader]
    clock: Callable[[], datetime]

    def step(self, record: Record, *, owes: bool) -> Step:
        """What the record comes to. `owes`: the key's stored outbox may never have gone out.

        Raises UnreadableRow or InvariantBroken; whatever else is wrong with the record becomes a letter.
        """
        try:
            given = self.reader.read(record)
        except UndecodableRecord as error:
            return self._refusal(Step(record), error.reason, error.detail)
        encoded = self.guard.row(record.partition, record.key or b"")
        row = None if encoded is None else self.planner.codec.decode(encoded)
        before = _before(row, record, owes=owes)
        if row is not None and record.offset <= row.applied(record.topic):
            return before
        try:
            return self._decided(before, row, given)
        except (TooLarge, Refused) as error:
            return self._refusal(before, error.reason, error.detail)

    def side_rows(self, partition: int, key: bytes, row: GuardRow[S] | None) -> SideRows:
        """The side rows that belong to a guard row."""
        return SideRows(self._side_bytes(partition, key, row), self.processor.side_models)

    def _decided(self, before: Step, row: GuardRow[S] | None, given: Input) -> Step:
        record = before.record
        side_bytes = self._side_bytes(record.partition, before.key, row)
        at = self.clock()
        decision = self._decide(row, side_bytes, given, at)
        plan = self.planner.plan(row, decision, record=record, at=at, side_bytes=side_bytes)
        return Step(record, owed=before.owed, plan=plan, confirms=before.confirms)

    def _decide(
        self, row: GuardRow[S] | None, side_bytes: Mapping[str, bytes], given: Input, at: datetime
    ) -> Decision[S]:
        state = None if row is None else row.state
        try:
            decision = self.processor.decide(state, SideRows(side_bytes, self.processor.side_models), given, at=at)
        except UnreadableRow:
            raise
        except Exception as error:
            logger.exception("the decision failed for %s", given.record.topic)
            raise Refused("processor-error", "".join(traceback.format_exception(error))) from error
        if decision.refused is not None:
            raise Refused(decision.refused, "refused by the processor")
        if decision.next_at is not None and self.processor.wakeups_topic is None:
            raise InvariantBroken(f"{self.processor.service} asks for a wakeup but has no wakeups topic")
        return decision

    def _side_bytes(self, partition: int, key: bytes, row: GuardRow[S] | None) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for table, slot in ({} if row is None else row.side).items():
            value = self.sides[table].row(partition, slot_key(key, slot)) if table in self.sides else None
            if value is None:
                raise InvariantBroken(f"the row of {key!r} names a row of {table} that is not there")
            found[table] = value
        return found

    def _refusal(self, before: Step, reason: str, detail: str) -> Step:
        letter = dead_letter(
            before.record, reason=reason, detail=detail, service=self.processor.service, at=self.clock()
        )
        return Step(before.record, owed=before.owed, letter=letter, refused=reason, confirms=before.confirms)


def _before(row: GuardRow[S] | None, record: Record, *, owes: bool) -> Step:
    """What comes before the decision, or instead of it: the stored outbox, as stored, if it may not be out yet."""
    if row is None or record.offset < row.applied(record.topic):
        return Step(record)
    repeated = record.offset == row.applied(record.topic) and row.input.is_record(record)
    owed = tuple(stored.encoded() for stored in row.outbox) if repeated or owes else ()
    return Step(record, owed=owed, confirms=True)
