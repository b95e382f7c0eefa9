"""A small processor that the stream tests run for real: it counts what each key was told, and says so when asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import BaseModel

from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.ports.processing import Decision, Input

NAMESPACE = UUID("3d2a66f0-1c7c-5e0c-9d0a-6f6f7d4f2a11")
SERVICE = "counting"


class Told(Event):
    """What a key is told. Each field asks the processor for one thing."""

    type_name: ClassVar[str] = "told"

    n: int = 0
    loud: bool = False
    note: str | None = None
    forget: bool = False
    refuse: bool = False
    fail: bool = False
    swell: int = 0
    shout: int = 0
    wake_after_ms: int | None = None


class Counted(Event):
    """What the processor says."""

    type_name: ClassVar[str] = "counted"

    n: int
    count: int
    note_before: str | None = None
    padding: str = ""


class Count(BaseModel):
    """The state of one key: how often it was told something, and what, in order."""

    count: int = 0
    history: tuple[str, ...] = ()
    padding: str = ""


class Note(BaseModel):
    """A row of the side table."""

    text: str


class CountingProcessor:
    """Counts. `inputs` may be widened by a test."""

    service = SERVICE
    table = "counts"
    state_model = Count
    wakeups_topic: str | None = "counting-wakeups"

    def __init__(self) -> None:
        self.inputs: Mapping[str, type[Event]] = {"told": Told, "told-also": Told, "counting-wakeups": Told}
        self.side_models: Mapping[str, type[BaseModel]] = {"notes": Note}

    def decide(
        self, state: Count | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime
    ) -> Decision[Count]:
        told = given.event
        if not isinstance(told, Told):
            return Decision(state=None)
        if told.fail:
            raise RuntimeError("told to fail")
        if told.refuse:
            return Decision(state=state, refused="told-to-refuse")
        before = state or Count()
        word = f"{given.record.topic}/{given.record.offset}"
        after = Count(
            count=before.count + 1, history=(*before.history, word)[-50:], padding="x" * told.swell or before.padding
        )
        outputs = self._outputs(told, side, given, after, at)
        if told.forget:
            return Decision(state=None, outputs=outputs)
        return Decision(
            state=after,
            outputs=outputs,
            side={} if told.note is None else {"notes": Note(text=told.note) if told.note else None},
            next_at=None if told.wake_after_ms is None else at + timedelta(milliseconds=told.wake_after_ms),
        )

    def _outputs(
        self, told: Told, side: Mapping[str, BaseModel], given: Input, after: Count, at: datetime
    ) -> tuple[OutgoingEvent, ...]:
        if not told.loud and not told.shout:
            return ()
        note = side.get("notes")
        counted = Counted(
            n=told.n,
            count=after.count,
            note_before=note.text if isinstance(note, Note) else None,
            padding="x" * told.shout,
        )
        key = (given.record.key or b"").decode("utf-8")
        cause = f"{given.record.topic}/{given.record.partition}/{given.record.offset}"
        return (OutgoingEvent(topic="counted", key=key, id=uuid5(NAMESPACE, cause), event=counted, time=at),)

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        return OutgoingEvent(
            topic="counting-wakeups",
            key=key,
            id=uuid5(NAMESPACE, f"{key}/{due.isoformat()}"),
            event=Told(n=-1, loud=True),
            time=due,
        )
