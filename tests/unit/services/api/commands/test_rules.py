"""What becomes of an alert rule."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.api.commands import rules as decide
from services.api.commands.rule_warnings import warnings
from services.api.models.rules import RulePatch, RuleToAdd
from vigilo.events.ids import record_id
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, TaggedHosts

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


def added(trigger: dict[str, object], **fields: object) -> AlertRule:
    wanted = RuleToAdd.model_validate({"name": "r", "severity": "warning", "trigger": trigger, **fields})
    return decide.add(wanted, workspace_id=UUID(int=1), rule_id=UUID(int=3), at=AT)


def counts(rule: AlertRule) -> tuple[int, int]:
    return rule.open_after, rule.close_after


def test_how_often_an_answer_must_come_is_by_the_trigger_unless_told() -> None:
    assert counts(added({"kind": "unreachable"})) == (3, 2)
    assert counts(added({"kind": "unreachable"}, open_after=1)) == (1, 2)
    assert counts(added({"kind": "name-mismatch"}, close_after=4)) == (1, 4)


def test_another_kind_of_trigger_brings_its_own_unless_told() -> None:
    rule = added({"kind": "unreachable"}, open_after=5)

    def edited(**patch: object) -> tuple[int, int]:
        return counts(decide.edit(rule, RulePatch.model_validate(patch), at=AT))

    assert edited(trigger={"kind": "grade-below", "grade": "B"}) == (2, 1)
    assert edited(trigger={"kind": "grade-below", "grade": "B"}, open_after=4) == (4, 1)
    assert edited(trigger={"kind": "unreachable"}) == (5, 2)
    assert edited(name="other", close_after=3) == (5, 3)


def test_reminders_are_taken_and_taken_away() -> None:
    rule = added({"kind": "unreachable"}, remind_every_minutes=60)
    assert rule.remind_every_minutes == 60
    assert (
        decide.edit(rule, RulePatch.model_validate({"remind_every_minutes": None}), at=AT).remind_every_minutes is None
    )
    for bad in (4, 43_201, "60"):
        with pytest.raises(ValidationError):
            added({"kind": "unreachable"}, remind_every_minutes=bad)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (added({"kind": "expires-in-less-than", "days": 90}), "always about to expire"),
        (added({"kind": "expires-in-less-than", "days": 90, "share": 0.3}), None),
        (added({"kind": "unreachable"}, open_after=1), "A single failed scan"),
        (added({"kind": "unreachable"}), None),
        (added({"kind": "certificate-changed"}, remind_every_minutes=5), "nothing to remind of"),
        (added({"kind": "certificate-changed"}, open_after=2), "does not count"),
        (added({"kind": "not-tls"}, scope={"kind": "tag", "tag": "prod"}), "No host carries the tag prod now."),
    ],
)
def test_what_is_seldom_meant_is_told(rule: AlertRule, words: str | None) -> None:
    told = warnings(rule, hosts_with_tag=0, disabled_channels=[])
    assert len(told) == (0 if words is None else 1)
    assert words is None or words in told[0]
    assert (
        warnings(rule, hosts_with_tag=0, disabled_channels=["c"])[-1] == "The channel c is disabled: it gets nothing."
    )


def test_each_recommended_rule_is_a_good_one() -> None:
    rules = decide.recommended(workspace_id=UUID(int=1), at=AT)
    assert len({rule.rule_id for rule in rules}) == len(rules) == 6
    assert all(warnings(rule, hosts_with_tag=None, disabled_channels=[]) == [] for rule in rules)
    assert [counts(rule) for rule in rules] == [(1, 1), (1, 1), (1, 1), (3, 2), (1, 1), (2, 1)]
