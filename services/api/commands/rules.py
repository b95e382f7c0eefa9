"""What becomes of an alert rule when somebody adds, edits or deletes it. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.models.rules import RulePatch, RuleToAdd
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import record_id
from vigilo.events.rules import AlertRule, RecordStatus


def add(wanted: RuleToAdd, *, workspace_id: UUID, rule_id: UUID, at: datetime) -> AlertRule:
    """The first version of a rule."""
    return AlertRule.model_validate(
        {
            **wanted.model_dump(),
            "rule_id": rule_id,
            "workspace_id": workspace_id,
            "version": 1,
            "status": RecordStatus.ACTIVE,
            "created_at": at,
            "updated_at": at,
        }
    )


def edit(rule: AlertRule, patch: RulePatch, *, at: datetime) -> AlertRule:
    """The next version; the same rule if nothing would change."""
    wanted = AlertRule.model_validate({**rule.model_dump(), **patch.model_dump(exclude_unset=True)})
    return rule if wanted == rule else _next(wanted, at)


def delete(rule: AlertRule, *, at: datetime) -> AlertRule:
    """The last version."""
    return _next(rule.model_copy(update={"status": RecordStatus.DELETED}), at)


def record(rule: AlertRule) -> OutgoingEvent:
    """The event that tells this version."""
    return OutgoingEvent("alert-rules", str(rule.rule_id), record_id(rule.rule_id, rule.version), rule, rule.updated_at)


def told(verb: str, before: AlertRule | None, after: AlertRule) -> Change:
    """What the audit log says; a deleted rule has only a `before`."""
    gone = after.status is RecordStatus.DELETED
    return Change.between(f"rule.{verb}", f"rule:{after.rule_id}", before, None if gone else after)


def _next(rule: AlertRule, at: datetime) -> AlertRule:
    return rule.model_copy(update={"version": rule.version + 1, "updated_at": at})
