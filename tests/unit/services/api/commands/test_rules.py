"""What becomes of an alert rule."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.api.commands import rules as decide
from services.api.models.rules import RulePatch, RuleToAdd
from vigilo.events.ids import record_id
from vigilo.events.rules import AllHosts, RecordStatus, TaggedHosts

AT = datetime(2026, 11, 23, tzinfo=UTC)
BODY = {"name": "r", "trigger": {"kind": "expires-in-less-than", "days": 30}, "severity": "warning"}
RULE = decide.add(RuleToAdd.model_validate(BODY), workspace_id=UUID(int=1), rule_id=UUID(int=2), at=AT)


def test_a_new_rule_is_for_all_hosts_unless_told() -> None:
    assert (RULE.scope, RULE.version, RULE.status, RULE.open_after) == (AllHosts(), 1, RecordStatus.ACTIVE, 1)


@pytest.mark.parametrize(
    ("patch", "version"),
    [
        ({}, 1),
        ({"name": "r", "trigger": {"kind": "expires-in-less-than", "days": 30, "include": "leaf"}}, 1),
        ({"trigger": {"kind": "expires-in-less-than", "days": 7}}, 2),
        ({"scope": {"kind": "tag", "tag": "prod"}}, 2),
        ({"enabled": False}, 2),
    ],
)
def test_an_edit_that_changes_something_makes_a_version(patch: dict[str, object], version: int) -> None:
    edited = decide.edit(RULE, RulePatch.model_validate(patch), at=AT)
    assert edited.version == version
    assert (edited is RULE) == (version == 1)


def test_an_edit_keeps_what_was_not_sent() -> None:
    edited = decide.edit(RULE, RulePatch.model_validate({"scope": {"kind": "tag", "tag": "prod"}}), at=AT)
    assert edited.scope == TaggedHosts(tag="prod")
    assert (edited.trigger, edited.name, edited.severity) == (RULE.trigger, RULE.name, RULE.severity)


def test_deletion_is_told_as_the_last_version() -> None:
    event = decide.record(decide.delete(RULE, at=AT))
    assert (event.topic, event.id) == ("alert-rules", record_id(RULE.rule_id, 2))
