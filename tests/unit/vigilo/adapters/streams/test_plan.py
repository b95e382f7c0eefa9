"""From decisions to writes: the row holds the outbox, side rows change slots, nothing too large gets through."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import BaseModel

from vigilo.adapters.streams.plan import Plan, Planner, SideWrite, TooLarge, slot_key, slot_of
from vigilo.adapters.streams.rows import GuardRow, RowCodec, UnreadableRow, outline
from vigilo.events.envelope import Event, OutgoingEvent, Record
from vigilo.ports.processing import Decision

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = "0192f0c4-7a5e-7000-8000-000000000001"


class State(BaseModel):
    """A state."""

    name: str = ""


class Note(BaseModel):
    """A side row."""

    text: str


class Said(Event):
    """An output."""

    type_name: ClassVar[str] = "said"
    text: str


PLANNER = Planner(RowCodec(State), source="vigilo/test", guard_row_limit=1_000, record_limit=4_000)


def record(topic: str = "told", offset: int = 7) -> Record:
    return Record(topic, 3, offset, 0, KEY.encode(), b"{}", ())


def said(text: str = "ü") -> OutgoingEvent:
    return OutgoingEvent(topic="said", key=KEY, id=UUID(int=5), event=Said(text=text), time=AT)


def plan(decision: Decision[State], row: GuardRow[State] | None = None, **given: Any) -> Plan:
    side_bytes: dict[str, bytes] = given.pop("side_bytes", {})
    return PLANNER.plan(row, decision, record=record(**given), at=AT, side_bytes=side_bytes)


def row_after(decision: Decision[State], row: GuardRow[State] | None = None, **given: Any) -> GuardRow[State]:
    return PLANNER.codec.decode(plan(decision, row, **given).row or b"")


def test_the_row_names_the_input_that_was_applied() -> None:
    row = row_after(Decision(state=State(name="n")))
    assert row.offsets == {"told": 7}
    assert (row.input.topic, row.input.partition, row.input.offset, row.input.at) == ("told", 3, 7, AT)
    assert row.input.is_record(record())
    assert not row.input.is_record(record(offset=8))


def test_offsets_of_other_topics_stay() -> None:
    first = row_after(Decision(state=State()))
    second = row_after(Decision(state=State()), first, topic="hosts", offset=2)
    assert second.offsets == {"told": 7, "hosts": 2}
    assert (second.applied("told"), second.applied("hosts"), second.applied("never")) == (7, 2, -1)


def test_the_stored_outbox_gives_the_same_bytes_again() -> None:
    made = plan(Decision(state=State(), outputs=(said(), said("zwei"))))
    stored = PLANNER.codec.decode(made.row or b"").outbox
    assert tuple(one.encoded() for one in stored) == made.outbox
    assert (made.outbox[0].value or b"").decode() == '{"text":"ü"}'


def test_the_next_decision_replaces_the_outbox() -> None:
    first = row_after(Decision(state=State(), outputs=(said(),)))
    assert row_after(Decision(state=State()), first).outbox == []


def test_a_tombstone_survives_in_the_outbox() -> None:
    gone = OutgoingEvent(topic="hosts", key=KEY, id=UUID(int=6), event=None, time=AT)
    made = plan(Decision(state=State(), outputs=(gone,)))
    assert PLANNER.codec.decode(made.row or b"").outbox[0].encoded().value is None


def test_nothing_in_and_nothing_out_leaves_no_trace() -> None:
    assert plan(Decision(state=None)) == Plan(None, (), (), (), None, None)


def test_a_deleted_key_keeps_its_guard_until_its_inputs_are_committed() -> None:
    before = row_after(Decision(state=State(), next_at=AT + timedelta(hours=1)))
    made = plan(Decision(state=None, outputs=(said(),), next_at=AT), before, offset=9)
    row = PLANNER.codec.decode(made.row or b"")
    assert (row.state, row.next_at, len(row.outbox)) == (None, None, 1)
    assert made.offsets_of_deleted == {"told": 9}
    assert made.next_at is None


def test_side_rows_change_slots_and_the_old_slot_goes_after_the_row() -> None:
    first = plan(Decision(state=State(), side={"notes": Note(text="a")}))
    assert first.side_puts == (SideWrite("notes", slot_key(KEY.encode(), 0), b'{"text":"a"}'),)
    assert first.side_drops == ()
    row = PLANNER.codec.decode(first.row or b"")
    second = plan(Decision(state=State(), side={"notes": Note(text="b")}), row, side_bytes={"notes": b'{"text":"a"}'})
    assert [put.key for put in second.side_puts] == [slot_key(KEY.encode(), 1)]
    assert second.side_drops == (SideWrite("notes", slot_key(KEY.encode(), 0), None),)
    assert PLANNER.codec.decode(second.row or b"").side == {"notes": 1}


@pytest.mark.parametrize("side", [{}, {"notes": Note(text="a")}])
def test_side_rows_that_do_not_change_are_not_written(side: dict[str, BaseModel | None]) -> None:
    row = row_after(Decision(state=State(), side={"notes": Note(text="a")}))
    made = plan(Decision(state=State(), side=side), row, side_bytes={"notes": b'{"text":"a"}'})
    assert (made.side_puts, made.side_drops) == ((), ())
    assert PLANNER.codec.decode(made.row or b"").side == {"notes": 0}


@pytest.mark.parametrize("decision", [Decision(state=State(), side={"notes": None}), Decision(state=None)])
def test_side_rows_go_when_told_to_and_with_their_key(decision: Decision[State]) -> None:
    row = row_after(Decision(state=State(), side={"notes": Note(text="a")}))
    made = plan(decision, row, side_bytes={"notes": b'{"text":"a"}'})
    assert made.side_drops == (SideWrite("notes", slot_key(KEY.encode(), 0), None),)
    assert PLANNER.codec.decode(made.row or b"").side == {}


def test_the_outbox_does_not_count_for_the_rows_own_limit() -> None:
    made = plan(Decision(state=State(), outputs=(said("x" * 2_000),)))
    assert len(made.row or b"") > PLANNER.guard_row_limit


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (Decision(state=State(name="x" * 1_001)), "row-too-large"),
        (Decision(state=State(), outputs=(said("x" * 4_001),)), "event-too-large"),
        (Decision(state=State(), outputs=(said("x" * 2_000), said("x" * 2_000))), "row-too-large"),
        (Decision(state=State(), side={"notes": Note(text="x" * 4_001)}), "row-too-large"),
    ],
)
def test_what_is_too_large_is_refused(decision: Decision[State], reason: str) -> None:
    with pytest.raises(TooLarge) as refused:
        plan(decision)
    assert refused.value.reason == reason


def test_slots_are_read_from_keys_as_they_were_written() -> None:
    assert slot_of(slot_key(KEY.encode(), 1)) == (KEY.encode(), 1)


def test_the_outline_of_a_row_says_what_recovery_needs() -> None:
    made = plan(Decision(state=State(), outputs=(said(),), side={"notes": Note(text="a")}, next_at=AT))
    found = outline(made.row or b"")
    assert (found.offsets, found.deleted, found.next_at, found.side) == ({"told": 7}, False, AT, {"notes": 0})
    assert found.pending is not None
    assert found.pending.is_record(record())
    assert outline(plan(Decision(state=State())).row or b"").pending is None


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"offsets": {}, "state": {}, "outbox": [1], "input": 3}'])
def test_rows_nobody_can_read_are_refused(value: bytes) -> None:
    with pytest.raises(UnreadableRow):
        outline(value)
    with pytest.raises(UnreadableRow):
        PLANNER.codec.decode(value)


def test_a_row_is_plain_json() -> None:
    row = json.loads(plan(Decision(state=State(name="n"))).row or b"")
    assert set(row) == {"offsets", "state", "outbox", "input", "next_at", "side"}
