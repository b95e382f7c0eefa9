"""Which records become rows: decoded, in their own partition, with times that can be true. Pure.

A refusal has a stable kebab-case reason: those of UndecodableRecord, and wrong-partition, bad-time, foreign-workspace
(the host belongs to another workspace), unstorable (PostgreSQL cannot hold a value).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from vigilo.events.alerts import AlertTransition
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.codec import UndecodableRecord, decode, key_uuid
from vigilo.events.deliveries import Delivery
from vigilo.events.envelope import Event, Record
from vigilo.events.partitioner import partition_for
from vigilo.events.records import WorkItem
from vigilo.events.registry import TOPIC_MODELS
from vigilo.events.scans import Snapshot

WORK_ITEMS_TOPIC: Final = "work-items"
TOPICS: Final = ("snapshots", "report-cards", "certificate-changes", "alerts", "deliveries", WORK_ITEMS_TOPIC)
HOST_KEYED: Final = frozenset({"snapshots", "report-cards", "certificate-changes", "alerts"})

Observed = Snapshot | ReportCard | CertificateChange | AlertTransition | Delivery | WorkItem

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Measured against the broker's append time, which is part of the topic: the verdict never depends on when it is given.
_AHEAD: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A record that becomes rows. `event` is None for the tombstone of a work item, `subject` the record's key."""

    record: Record
    subject: UUID
    event: Observed | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A record for dead-letters."""

    record: Record
    reason: str
    detail: str


def admit(record: Record, *, partitions: Mapping[str, int]) -> Admitted | Refused:
    """The record decoded and checked by itself; `partitions` counts each topic's partitions."""
    try:
        subject = key_uuid(record)
        _check_partition(record, partitions[record.topic])
        if record.value is None and record.topic == WORK_ITEMS_TOPIC:
            return Admitted(record, subject, None)
        event = _observed(decode(record, TOPIC_MODELS[record.topic]))
        _check_subject(event, subject)
        _check_time(event, record)
    except UndecodableRecord as refusal:
        return Refused(record, refusal.reason, refusal.detail)
    return Admitted(record, subject, event)


def workspace_of(event: Observed) -> UUID:
    """The workspace the event belongs to."""
    if isinstance(event, Snapshot | ReportCard | CertificateChange):
        return event.target.workspace_id
    return event.workspace_id


def _observed(event: Event) -> Observed:
    assert isinstance(event, Observed)  # TOPICS names topics of these models only
    return event


def _check_partition(record: Record, count: int) -> None:
    own = partition_for(record.key or b"", count)
    if own != record.partition:
        raise UndecodableRecord("wrong-partition", f"the key belongs to partition {own} of {count}")


def _check_subject(event: Observed, subject: UUID) -> None:
    named = _subject(event)
    if named != subject:
        raise UndecodableRecord("bad-key", f"the key is {subject}, the event is about {named}")


def _subject(event: Observed) -> UUID:
    match event:
        case Delivery():
            return event.delivery_id
        case WorkItem():
            return event.item_id
        case Snapshot() | ReportCard() | CertificateChange():
            return event.target.host_id
        case AlertTransition():
            return event.host.host_id


def _check_time(event: Observed, record: Record) -> None:
    for moment in _times(event):
        if moment.tzinfo is None:
            raise UndecodableRecord("bad-time", f"{moment.isoformat()} has no time zone")
        if not _EARLIEST <= moment <= _EPOCH + timedelta(milliseconds=record.timestamp_ms) + _AHEAD:
            raise UndecodableRecord("bad-time", f"{moment.isoformat()} is not a time of the past")


def _times(event: Observed) -> tuple[datetime, ...]:
    """The times rows are ordered by."""
    match event:
        case Snapshot() | ReportCard() | CertificateChange():
            return (event.requested_at,)
        case AlertTransition():
            return (event.opened_at, event.at)
        case Delivery():
            return (event.at,)
        case WorkItem():
            return (event.updated_at,)
