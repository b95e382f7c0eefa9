"""Bytes to events and back: JSON values, CloudEvents headers. Pure.

Every failure to decode is an `UndecodableRecord` with a stable `reason`; the caller sends the record, whole, to
dead-letters.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import ValidationError

from vigilo.events.envelope import (
    CONTENT_TYPE,
    SPEC_VERSION,
    EncodedEvent,
    Event,
    Headers,
    OutgoingEvent,
    Record,
)

E = TypeVar("E", bound=Event)


class UndecodableRecord(Exception):
    """A record no reader can use. `reason` is one of: tombstone, wrong-type, not-utf8, not-json, invalid, bad-key."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def ce_time(moment: datetime) -> str:
    """RFC 3339 in UTC with a Z, microseconds kept."""
    return moment.isoformat().replace("+00:00", "Z")


def encode(outgoing: OutgoingEvent, *, source: str) -> EncodedEvent:
    """The record for one event. Same input, same bytes: field order is the model's, None fields are left out."""
    return EncodedEvent(
        topic=outgoing.topic,
        key=outgoing.key.encode("utf-8"),
        value=None if outgoing.event is None else encode_value(outgoing.event),
        headers=_headers(outgoing, source),
    )


def encode_value(event: Event) -> bytes:
    """The JSON bytes of the event alone."""
    return event.model_dump_json(exclude_none=True).encode("utf-8")


def _headers(outgoing: OutgoingEvent, source: str) -> Headers:
    attributes = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": str(outgoing.id),
        "ce_source": source,
        "ce_type": "vigilo.tombstone.v1" if outgoing.event is None else outgoing.event.ce_type(),
        "ce_time": ce_time(outgoing.time),
        "ce_subject": outgoing.key,
        "content-type": CONTENT_TYPE,
    }
    if outgoing.traceparent is not None:
        attributes["traceparent"] = outgoing.traceparent
    return tuple((name, value.encode("utf-8")) for name, value in attributes.items())


def decode(record: Record, model: type[E]) -> E:
    """The event in the record's value. Raises UndecodableRecord; unknown fields are ignored.

    A `ce_type` header that names another type or a later version is refused; a missing header is tolerated, for
    outside systems may write plain JSON.
    """
    if record.value is None:
        raise UndecodableRecord("tombstone", "the record has no value")
    declared = record.header("ce_type")
    if declared is not None and declared != model.ce_type():
        raise UndecodableRecord("wrong-type", f"expected {model.ce_type()}, the header says {declared}")
    return decode_value(record.value, model)


def decode_value(value: bytes, model: type[E]) -> E:
    """The event in these JSON bytes. Raises UndecodableRecord (not-utf8, not-json, invalid)."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UndecodableRecord("not-utf8", str(error)) from error
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = "not-json" if first["type"] == "json_invalid" else "invalid"
        where = ".".join(str(part) for part in first["loc"]) or "value"
        raise UndecodableRecord(reason, f"{where}: {first['msg']}") from error


def key_uuid(record: Record) -> UUID:
    """The record's key as a UUID. Raises UndecodableRecord (bad-key) unless it is canonical lower case."""
    text = (record.key or b"").decode("utf-8", errors="replace")
    try:
        parsed = UUID(text)
    except ValueError as error:
        raise UndecodableRecord("bad-key", f"not a UUID: {text[:60]!r}") from error
    if str(parsed) != text:
        raise UndecodableRecord("bad-key", f"not the canonical form of {parsed}: {text[:60]!r}")
    return parsed
