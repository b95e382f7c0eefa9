"""The rule set: who is looked at, what is snoozed, what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.fakes.inputs import HOST, NOON, RULE, WORKSPACE, host, rule
from vigilo.alerting.config import Placed, RuleSet
from vigilo.alerting.scope import in_scope
from vigilo.events.hosts import HostSnooze
from vigilo.events.rules import OneHost, RecordStatus, Snooze, TaggedHosts

HOUR = timedelta(hours=1)
OTHER = UUID("0190a000-0000-7000-8000-0000000000dd")


def snooze(**changes: Any) -> Snooze:
    fields: dict[str, Any] = {
        "snooze_id": OTHER,
        "workspace_id": WORKSPACE,
        "version": 1,
        "status": RecordStatus.ACTIVE,
        "since": NOON,
        "until": NOON + HOUR,
    }
    return Snooze(**{**fields, **changes})


def test_a_scope_is_all_hosts_a_tag_or_one_host_of_the_workspace() -> None:
    assert in_scope(rule(), host())
    assert not in_scope(rule(workspace_id=OTHER), host())
    assert in_scope(rule(scope=TaggedHosts(tag="edge")), host(tags=("core", "edge")))
    assert not in_scope(rule(scope=TaggedHosts(tag="edge")), host(tags=("edges",)))
    assert in_scope(rule(scope=OneHost(host_id=HOST)), host())
    assert not in_scope(rule(scope=OneHost(host_id=OTHER)), host())


def test_deleted_and_disabled_rules_look_at_nothing_but_are_remembered() -> None:
    deleted = rule(status=RecordStatus.DELETED)
    rules = RuleSet.of([Placed(0, deleted), Placed(1, rule(rule_id=OTHER, enabled=False))])
    assert rules.rules_of(WORKSPACE) == ()
    assert rules.rule(RULE) == deleted


def test_what_changed_since_a_version_is_what_was_written_at_or_after_it() -> None:
    first, second = rule(), rule(rule_id=OTHER)
    rules = RuleSet.of([Placed(3, first), Placed(7, second)], versions={"alert-rules": 8})
    assert rules.changed_since(WORKSPACE, -1) == (first, second)
    assert rules.changed_since(WORKSPACE, 7) == (second,)
    assert rules.changed_since(WORKSPACE, 8) == ()
    assert rules.changed_since(OTHER, 0) == ()


def test_a_snooze_covers_its_rule_or_its_tag_while_it_runs() -> None:
    for one, covered in ((snooze(rule_id=RULE), True), (snooze(tag="edge"), True), (snooze(tag="core"), False)):
        rules = RuleSet.of([Placed(0, rule())], [Placed(0, one)])
        until = rules.snoozed_until(rule(), host(tags=("edge",)), NOON)
        assert until == (NOON + HOUR if covered else None)
        assert rules.snoozed_until(rule(), host(tags=("edge",)), NOON + HOUR) is None
        assert rules.snoozed_until(rule(), host(tags=("edge",)), NOON - HOUR) is None


def test_of_several_snoozes_the_latest_end_counts() -> None:
    rules = RuleSet.of([], [Placed(0, snooze(rule_id=RULE))])
    longer = host(snooze=HostSnooze(since=NOON, until=NOON + 3 * HOUR))
    assert rules.snoozed_until(rule(), longer, NOON) == NOON + 3 * HOUR
    ended = RuleSet.of([], [Placed(1, snooze(rule_id=RULE, status=RecordStatus.DELETED))])
    assert ended.snoozed_until(rule(), host(), NOON) is None


def test_the_rule_set_of_a_moment_is_what_had_been_read_by_then() -> None:
    first, second = rule(), rule(version=2, name="newer")
    overtaken, other = rule(version=1, name="overtaken"), rule(rule_id=OTHER)
    rules = [Placed(0, first), Placed(1, second), Placed(2, overtaken), Placed(5, other)]
    snoozes = [Placed(0, snooze(rule_id=RULE)), Placed(3, snooze(version=2, status=RecordStatus.DELETED))]

    def named(rules_version: int) -> list[str]:
        read = RuleSet.as_read(rules, snoozes, {"alert-rules": rules_version, "snoozes": 0})
        return [one.name for one in read.rules_of(WORKSPACE)]

    assert [named(version) for version in (0, 1, 2, 3, 5)] == [[], ["expires soon"], ["newer"], ["newer"], ["newer"]]
    assert len(named(6)) == 2
    early = RuleSet.as_read(rules, snoozes, {"alert-rules": 6, "snoozes": 3})
    assert early.snoozed_until(first, host(), NOON) == NOON + HOUR
    late = RuleSet.as_read(rules, snoozes, {"alert-rules": 6, "snoozes": 4})
    assert late.snoozed_until(first, host(), NOON) is None
    assert late.versions == {"alert-rules": 6, "snoozes": 4}
    assert RuleSet.as_read(rules, snoozes, {}) == RuleSet.of()
