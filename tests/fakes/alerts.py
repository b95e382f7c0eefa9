"""Alert transitions made to order."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from vigilo.events import ids
from vigilo.events.alerts import (
    AlertFacts,
    AlertHost,
    AlertRuleRef,
    AlertTransition,
    CloseReason,
    DecidedBy,
    TransitionKind,
)
from vigilo.events.rules import Severity
from vigilo.events.triggers import ExpiresInLessThan

WORKSPACE = UUID("0198f2aa-0000-7000-8000-0000000000aa")
HOST = UUID("0198f2aa-0000-7000-8000-0000000000bb")
RULE = UUID("0198f2aa-0000-7000-8000-0000000000cc")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def transition(
    kind: TransitionKind,
    *,
    n: int = 1,
    channels: tuple[UUID, ...] = (),
    workspace_id: UUID = WORKSPACE,
    host_id: UUID = HOST,
    cause: str = "card-1",
    at: datetime = AT,
) -> AlertTransition:
    """The n-th transition of the alert that `cause` opened on a host that expires in 20 days."""
    alert_id = ids.alert_id(RULE, host_id, cause)
    return AlertTransition(
        transition_id=ids.transition_id(alert_id, n),
        alert_id=alert_id,
        n=n,
        episode=1,
        kind=kind,
        workspace_id=workspace_id,
        host=AlertHost(host_id=host_id, hostname="api.acme.test", port=443, version=1, tags=("prod",)),
        rule=AlertRuleRef(
            rule_id=RULE,
            version=1,
            name="Expires soon",
            trigger=ExpiresInLessThan(days=30),
            severity=Severity.WARNING,
            channels=channels,
        ),
        summary="api.acme.test:443 expires in 20 days",
        facts=AlertFacts(days_left=20, fingerprint_sha256="ab" * 32, subject="CN=api.acme.test"),
        close_reason=CloseReason.CLEARED if kind is TransitionKind.CLOSED else None,
        opened_at=AT,
        at=at,
        decided_by=DecidedBy(
            topic="report-cards", partition=0, offset=n, ce_id=cause, config_version={"alert-rules": 1}, at=at
        ),
    )
