"""Which model a topic carries. One event = one model = one schema file = one topic row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vigilo.events.alerts import AlertTransition
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.deliveries import Delivery, DeliveryCommand
from vigilo.events.envelope import Event
from vigilo.events.hosts import Host, HostCommand
from vigilo.events.records import AlerterWakeup, AuditEntry, SchedulerWakeup, WorkItem
from vigilo.events.rules import AlertRule, Channel, Snooze, WorkspaceSettings
from vigilo.events.scans import ScanRequested, Snapshot

TOPIC_MODELS: Mapping[str, type[Event]] = MappingProxyType(
    {
        "hosts": Host,
        "host-commands": HostCommand,
        "workspace-settings": WorkspaceSettings,
        "alert-rules": AlertRule,
        "snoozes": Snooze,
        "channels": Channel,
        "delivery-commands": DeliveryCommand,
        "scan-requested": ScanRequested,
        "scan-requested-now": ScanRequested,
        "snapshots": Snapshot,
        "report-cards": ReportCard,
        "certificate-changes": CertificateChange,
        "alerts": AlertTransition,
        "deliveries": Delivery,
        "work-items": WorkItem,
        "audit": AuditEntry,
        "scheduler-wakeups": SchedulerWakeup,
        "alerter-wakeups": AlerterWakeup,
    }
)
