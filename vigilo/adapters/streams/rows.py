"""The row a decision leaves behind: state, last applied offsets and the decided events, as JSON bytes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError

from vigilo.events.envelope import EncodedEvent, Record

S = TypeVar("S", bound=BaseModel)


class UnreadableRow(Exception):
    """A row in the changelog that this version cannot read: the state model lost compatibility."""


class SideRows(Mapping[str, BaseModel]):
    """One key's side rows, decoded when looked at."""

    def __init__(self, encoded: Mapping[str, bytes], models: Mapping[str, type[BaseModel]]) -> None:
        self._encoded = encoded
        self._models = models

    def __getitem__(self, table: str) -> BaseModel:
        try:
            return self._models[table].model_validate_json(self._encoded[table])
        except ValidationError as error:
            raise UnreadableRow(f"side table {table}: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)


class StoredEvent(BaseModel):
    """An encoded event inside a row. Everything Vigilo encodes is UTF-8, so text keeps the bytes."""

    topic: str
    key: str
    value: str | None
    headers: list[tuple[str, str]]

    @classmethod
    def of(cls, event: EncodedEvent) -> StoredEvent:
        """The event as text."""
        return cls(
            topic=event.topic,
            key=(event.key or b"").decode("utf-8"),
            value=None if event.value is None else event.value.decode("utf-8"),
            headers=[(name, value.decode("utf-8")) for name, value in event.headers],
        )

    def encoded(self) -> EncodedEvent:
        """The same bytes that were stored."""
        return EncodedEvent(
            topic=self.topic,
            key=self.key.encode("utf-8"),
            value=None if self.value is None else self.value.encode("utf-8"),
            headers=tuple((name, value.encode("utf-8")) for name, value in self.headers),
        )


class AppliedInput(BaseModel):
    """The input that a row's last decision was about, and decide's clock."""

    topic: str
    partition: int
    offset: int
    at: datetime

    def is_record(self, record: Record) -> bool:
        """True for the very record that was applied."""
        return (self.topic, self.partition, self.offset) == (record.topic, record.partition, record.offset)


class GuardRow(BaseModel, Generic[S]):
    """The row of one key.

    `offsets`: per input topic (logical name) the last applied offset. `side`: per side table the slot that holds this
    key's row. `state` None: the key is deleted; the row stays until every input it names is committed.
    """

    offsets: dict[str, int]
    state: S | None
    outbox: list[StoredEvent] = Field(default_factory=list)
    input: AppliedInput
    next_at: datetime | None = None
    side: dict[str, int] = Field(default_factory=dict)

    def applied(self, topic: str) -> int:
        """The last applied offset of a topic, -1 for none."""
        return self.offsets.get(topic, -1)


class RowCodec(Generic[S]):
    """Rows to bytes and back for one state model."""

    def __init__(self, state_model: type[S]) -> None:
        self._model: Any = GuardRow[state_model]  # type: ignore[valid-type]

    def row(self, **fields: Any) -> GuardRow[S]:
        """A row from decided values, which are not validated again."""
        row: GuardRow[S] = self._model.model_construct(**fields)
        return row

    def encode(self, row: GuardRow[S]) -> bytes:
        """The row as JSON."""
        return row.model_dump_json(exclude_defaults=False).encode("utf-8")

    def decode(self, value: bytes) -> GuardRow[S]:
        """The row in these bytes. Raises UnreadableRow."""
        try:
            row: GuardRow[S] = self._model.model_validate_json(value)
        except ValidationError as error:
            raise UnreadableRow(str(error)) from error
        return row


class RowOutline(BaseModel):
    """What the base looks at in every recovered row, whatever the state model."""

    offsets: dict[str, int]
    deleted: bool
    pending: AppliedInput | None
    next_at: datetime | None
    side: dict[str, int]


def outline(value: bytes) -> RowOutline:
    """The outline of an encoded row; `pending` is its input if the row has an outbox. Raises UnreadableRow."""
    try:
        row = orjson.loads(value)
        return RowOutline(
            offsets=row["offsets"],
            deleted=row["state"] is None,
            pending=row["input"] if row["outbox"] else None,
            next_at=row.get("next_at"),
            side=row.get("side", {}),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise UnreadableRow(str(error)) from error


def size_of(event: EncodedEvent) -> int:
    """Bytes of key, value and headers."""
    headers = sum(len(name) + len(value) for name, value in event.headers)
    return len(event.key or b"") + len(event.value or b"") + headers


def largest(events: Iterable[EncodedEvent]) -> int:
    """The size of the largest event, 0 for none."""
    return max(map(size_of, events), default=0)
