"""What the projector tells of a batch to those who follow live: kinds and ids, in the batch's order. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.live.notices import Change, change, everything, naming
from services.api.projector.admission import Admitted, Observed, workspace_of
from vigilo.events.alerts import AlertTransition
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.deliveries import Delivery
from vigilo.events.records import WorkItem
from vigilo.events.scans import Snapshot

# While the projector catches up, nobody wants each of a million old events: followers look at everything again.
STALE: Final = timedelta(minutes=1)


def payloads(admitted: Sequence[Admitted], *, at: datetime) -> Iterator[str]:
    """The notifications of these events, at that moment. Of a work item's tombstone nothing is told."""
    oldest = (at - STALE).timestamp() * 1000
    fresh: defaultdict[UUID, list[Change]] = defaultdict(list)
    stale: dict[UUID, None] = {}
    for one in admitted:
        if one.event is None:
            continue
        if one.record.timestamp_ms < oldest:
            stale[workspace_of(one.event)] = None
        else:
            fresh[workspace_of(one.event)].append(change_of(one.event))
    for workspace_id in stale:
        yield everything(workspace_id)
    for workspace_id, changes in fresh.items():
        if workspace_id not in stale:
            yield from naming(workspace_id, changes)


def change_of(event: Observed) -> Change:
    """The change an event is."""
    match event:
        case Snapshot():
            return change("snapshot", event.finished_at, host_id=event.host_id, scan_id=event.scan_id)
        case ReportCard():
            return change("report-card", event.graded_at, host_id=event.host_id, scan_id=event.scan_id)
        case CertificateChange():
            return change("certificate-change", event.requested_at, host_id=event.host_id, scan_id=event.scan_id)
        case AlertTransition():
            ids = {"alert_id": event.alert_id, "host_id": event.host_id, "rule_id": event.rule.rule_id}
            return change("alert", event.at, **ids)
        case Delivery():
            ids = {"delivery_id": event.delivery_id, "channel_id": event.channel_id}
            return change("delivery", event.at, **ids, alert_id=event.alert_id, host_id=event.host_id)
        case WorkItem():
            return change("work-item", event.updated_at, item_id=event.item_id)
