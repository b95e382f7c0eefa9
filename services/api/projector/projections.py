"""What an event means for the read model: its rows, by table. Pure.

Each function sees one event alone; how rows of one key meet is said in tables.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from typing import Any, Final

import orjson

from services.api.projector import tables as t
from services.api.projector.admission import Admitted, Observed
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.codec import encode_value
from vigilo.events.deliveries import Delivery
from vigilo.events.envelope import Event, Record
from vigilo.events.facts import CertificateFacts
from vigilo.events.records import WorkItem
from vigilo.events.scans import Snapshot

TableRow = tuple[t.Table, t.Row]

# What a transition leaves behind. A notice opens and closes in one. An alert that is clearing is open still, and
# whether an open one was acknowledged before is asked of its transitions (queries/alerts.py).
ALERT_STATES: Final = {
    TransitionKind.PENDING: "pending",
    TransitionKind.OPENED: "open",
    TransitionKind.ACKNOWLEDGED: "acknowledged",
    TransitionKind.SUPPRESSED: "suppressed",
    TransitionKind.CLOSED: "closed",
    TransitionKind.NOTICE: "closed",
    TransitionKind.CLEARING: "open",
    TransitionKind.REMINDER: "open",
}


def rows_of(admitted: Admitted) -> Iterator[TableRow]:
    """The rows of one event; none for a tombstone."""
    event = admitted.event
    if event is not None:
        yield from _rows(event, admitted.record)


def _rows(event: Observed, record: Record) -> Iterator[TableRow]:
    match event:
        case Snapshot():
            return _of_snapshot(event, record)
        case ReportCard():
            return _of_report_card(event, record)
        case CertificateChange():
            return iter([(t.CERTIFICATE_CHANGES, _scan(event) | _whole(event, record))])
        case AlertTransition():
            return _of_transition(event, record)
        case Delivery():
            return iter([(t.DELIVERIES, _columns(event, t.DELIVERIES) | _source(record))])
        case WorkItem():
            return iter([(t.WORK_ITEMS, _columns(event, t.WORK_ITEMS))])


def _of_snapshot(event: Snapshot, record: Record) -> Iterator[TableRow]:
    scan = _scan(event)
    yield t.SNAPSHOTS, scan | {"outcome": event.outcome} | _whole(event, record)
    yield t.HOST_LATEST, _columns(event, t.HOST_LATEST) | scan
    if event.chain:
        yield t.HOST_CHAINS, scan | _chain(event.chain)
    for sha256 in dict.fromkeys(event.chain_sha256):
        yield t.WORKSPACE_CERTIFICATES, _sighting(event, bytea(sha256))
    for der in _ders(event):
        yield t.CERTIFICATES, {"sha256": bytea(hashlib.sha256(der).hexdigest()), "der": bytea(der.hex())}


def _chain(chain: tuple[CertificateFacts, ...]) -> t.Row:
    leaf = chain[0]
    return {
        "leaf_sha256": bytea(leaf.fingerprint_sha256),
        "leaf_subject": leaf.subject,
        "leaf_issuer": leaf.issuer,
        "leaf_not_before": leaf.not_before,
        "leaf_not_after": leaf.not_after,
        "chain_sha256": [bytea(certificate.fingerprint_sha256) for certificate in chain],
    }


def _sighting(event: Snapshot, sha256: str) -> t.Row:
    return {
        "workspace_id": event.target.workspace_id,
        "sha256": sha256,
        "first_seen_at": event.requested_at,
        "last_seen_at": event.requested_at,
        "last_scan_id": event.scan_id,
        "last_host_id": event.target.host_id,
    }


def _ders(event: Snapshot) -> Iterator[bytes]:
    """The certificates as bytes; what is not base64 is left out, for the snapshot itself is still worth keeping."""
    for text in event.chain_der or ():
        try:
            yield base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue


def _of_report_card(event: ReportCard, record: Record) -> Iterator[TableRow]:
    scan = _scan(event)
    yield t.REPORT_CARDS, scan | {"outcome": event.outcome, "grade": event.grade} | _whole(event, record)
    yield t.HOST_REPORT_CARDS, _columns(event, t.HOST_REPORT_CARDS) | scan
    if event.grade is not None:
        yield t.HOST_GRADES, scan | {"grade": event.grade, "rank": event.grade.rank}


def _of_transition(event: AlertTransition, record: Record) -> Iterator[TableRow]:
    known = {"host_id": event.host.host_id, "event": _json(event)}
    yield t.ALERT_TRANSITIONS, _columns(event, t.ALERT_TRANSITIONS) | known | _source(record)
    yield (
        t.ALERTS,
        _columns(event, t.ALERTS)
        | known
        | {"rule_id": event.rule.rule_id, "severity": event.rule.severity, "state": ALERT_STATES[event.kind]},
    )


def _scan(event: Snapshot | ReportCard | CertificateChange) -> t.Row:
    return {
        "host_id": event.target.host_id,
        "workspace_id": event.target.workspace_id,
        "requested_at": event.requested_at,
        "scan_id": event.scan_id,
    }


def _columns(event: Event, table: t.Table) -> t.Row:
    """The fields of the event that the table has under the same name."""
    return {name: getattr(event, name) for name in table.columns if name in type(event).model_fields}


def _whole(event: Event, record: Record) -> t.Row:
    return {"event": _json(event), **_source(record)}


def _source(record: Record) -> t.Row:
    return {"source_partition": record.partition, "source_offset": record.offset}


def _json(event: Event) -> Any:
    """The event as JSON that orjson passes through; known fields only, the DER of a chain left out."""
    if isinstance(event, Snapshot) and event.chain_der is not None:
        return orjson.Fragment(event.model_dump_json(exclude_none=True, exclude={"chain_der"}))
    return orjson.Fragment(encode_value(event))


def bytea(hexadecimal: str) -> str:
    """PostgreSQL's text form of these bytes."""
    return "\\x" + hexadecimal
