"""Derived ids: the same cause always gives the same id, so a repeated delivery is recognised everywhere.

All are UUIDv5 (RFC 9562 section 5.5) in one namespace, over parts joined by a slash after a word for the kind.
Only `new_id` is fresh (UUIDv7, RFC 9562 section 5.7): it names things people create.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("5bb4a0a4-6c5e-5f0e-9a43-0d8d1f5a7c11")


def _derive(kind: str, *parts: object) -> UUID:
    return uuid5(NAMESPACE, "/".join([kind, *(str(part) for part in parts)]))


def new_id(*, now_ms: int | None = None) -> UUID:
    """A UUIDv7: 48 bits of milliseconds, 74 random bits."""
    millis = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    bits = int.from_bytes(os.urandom(10), "big")
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | (bits >> 68 & 0xFFF) << 64 | 0b10 << 62 | (bits & (2**62 - 1))
    return UUID(int=value)


def slot_scan_id(host_id: UUID, interval_epoch: int, slot: int) -> UUID:
    """The scan of one slot; `interval_epoch` is the host version at which its slots began to count."""
    return _derive("scan-slot", host_id, interval_epoch, slot)


def command_scan_id(command_id: UUID) -> UUID:
    """The scan a person asked for."""
    return _derive("scan-command", command_id)


def caused_scan_id(host_id: UUID, cause: str) -> UUID:
    """A scan asked for because of one input (first scan, retry after not-performed): `cause` names it uniquely."""
    return _derive("scan-cause", host_id, cause)


def request_id(scan_id: UUID) -> UUID:
    """`ce_id` of the scan-requested event."""
    return _derive("scan-request", scan_id)


def snapshot_id(scan_id: UUID) -> UUID:
    """`ce_id` of a snapshot: of two with one id the first in the partition counts."""
    return _derive("snapshot", scan_id)


def report_card_id(scan_id: UUID) -> UUID:
    """`ce_id` of the one report card of a snapshot."""
    return _derive("report-card", scan_id)


def certificate_change_id(host_id: UUID, scan_id: UUID) -> UUID:
    """`ce_id` of a certificate change first seen by that scan."""
    return _derive("certificate-change", host_id, scan_id)


def record_id(aggregate_id: UUID, version: int) -> UUID:
    """`ce_id` of one version of a configuration record (host, rule, snooze, channel, workspace settings)."""
    return _derive("record", aggregate_id, version)


def audit_entry_id(workspace_id: UUID, sequence: int) -> UUID:
    """`ce_id` of one entry of a workspace's audit chain."""
    return _derive("audit-entry", workspace_id, sequence)


def alert_id(rule_id: UUID, host_id: UUID, cause: str) -> UUID:
    """An alert; `cause` is the `ce_id` of the input being applied when it opened."""
    return _derive("alert", rule_id, host_id, cause)


def transition_id(alert: UUID, n: int) -> UUID:
    """The n-th transition of an alert, counted from 1; also its `ce_id`."""
    return _derive("transition", alert, n)


def delivery_id(transition: UUID, channel_id: UUID) -> UUID:
    """The delivery of one transition on one channel; sent as `webhook-id`."""
    return _derive("delivery", transition, channel_id)


def delivery_event_id(delivery: UUID, attempt: int, status: str) -> UUID:
    """`ce_id` of what the ledger says about a delivery after one attempt."""
    return _derive("delivery-event", delivery, attempt, status)


def digest_id(members: Iterable[UUID]) -> UUID:
    """The delivery that tells all these deliveries in one message, whatever their order."""
    return _derive("digest", *sorted(members))


def channel_notice_id(channel_id: UUID, failing_since: datetime, word: str) -> UUID:
    """What other channels are told of a channel that has failed since then (`failing`), or `works` again."""
    return _derive("channel-notice", channel_id, failing_since.isoformat(), word)


def wakeup_id(service: str, key: str, due: datetime) -> UUID:
    """`ce_id` of a wakeup: the same timer gives the same id."""
    return _derive("wakeup", service, key, due.isoformat())
