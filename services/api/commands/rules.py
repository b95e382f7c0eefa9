"""What becomes of an alert rule when somebody adds, edits or deletes it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.models.rules import RulePatch, RuleToAdd
from vigilo.alerting.confirmation import confirmation
from vigilo.alerting.recommended import RECOMMENDED
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import new_id, record_id
from vigilo.events.rules import AlertRule, RecordStatus


def add(wanted: RuleToAdd, *, workspace_id: UUID, rule_id: UUID, at: datetime) -> AlertRule:
    """The first version of a rule. How often an answer must come is by its trigger, unless it says."""
    return AlertRule.model_validate(
        {
            **asdict(confirmation(wanted.trigger.kind)),
            **{name: value for name, value in wanted.model_dump().items() if name not in _unsaid(wanted)},
            "rule_id": rule_id,
            "workspace_id": workspace_id,
            "version": 1,
            "status": RecordStatus.ACTIVE,
            "created_at": at,
            "updated_at": at,
        }
    )


def recommended(*, workspace_id: UUID, at: datetime) -> list[AlertRule]:
    """The rules a workspace begins with, in their order: lists go by ids, and those by milliseconds."""
    began = int(at.timestamp() * 1000)
    return [
        add(
            RuleToAdd(name=one.name, trigger=one.trigger, severity=one.severity),
            workspace_id=workspace_id,
            rule_id=new_id(now_ms=began + number),
            at=at,
        )
        for number, one in enumerate(RECOMMENDED)
    ]


def edit(rule: AlertRule, patch: RulePatch, *, at: datetime) -> AlertRule:
    """The next version; the same rule if nothing would change.

    Another kind of trigger brings its own defaults of how often an answer must come.
    """
    sent = patch.model_dump(exclude_unset=True)
    if "trigger" in sent and patch.trigger.kind != rule.trigger.kind:
        sent = {**asdict(confirmation(patch.trigger.kind)), **sent}
    wanted = AlertRule.model_validate({**rule.model_dump(), **sent})
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


def _unsaid(wanted: RuleToAdd) -> set[str]:
    return {"open_after", "close_after"} - wanted.model_fields_set


def _next(rule: AlertRule, at: datetime) -> AlertRule:
    return rule.model_copy(update={"version": rule.version + 1, "updated_at": at})
