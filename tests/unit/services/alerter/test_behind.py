"""Only hosts that a change concerns are judged again."""

from __future__ import annotations

from typing import Any

from services.alerter.behind import must_judge
from services.alerter.state import HostAlerts, HostFacts
from tests.fakes.inputs import NOON, RULE, WORKSPACE, host, rule
from tests.unit.services.alerter.world import DAY, World
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import RecordStatus, TaggedHosts


def concerned(world: World) -> bool:
    assert world.row is not None
    return must_judge(world.row, lambda: world.facts, world.rule_set(), at=world.at)


def judged(*rules: Any, **host_changes: Any) -> World:
    world = World(*rules)
    world.host(**host_changes)
    world.card(not_after=NOON + 12 * DAY)
    return world


def test_a_host_judged_by_the_present_rules_is_left_alone() -> None:
    assert not concerned(judged(rule()))


def test_a_new_rule_concerns_the_hosts_in_its_scope() -> None:
    world = judged()
    world.configure(rule(scope=TaggedHosts(tag="edge")))
    assert not concerned(world)
    world.configure(rule(version=2))
    assert concerned(world)
    world.wake(reason="config")
    assert not concerned(world)


def test_a_deleted_or_narrowed_rule_concerns_only_hosts_with_an_alert_of_it() -> None:
    for change in ({"status": RecordStatus.DELETED}, {"enabled": False}, {"scope": TaggedHosts(tag="x")}):
        world = judged(rule())
        world.configure(rule(version=2, **change))
        assert concerned(world)
        healthy = World(rule())
        healthy.host()
        healthy.card(not_after=NOON + 80 * DAY)
        healthy.configure(rule(version=2, **change))
        assert not concerned(healthy)


def test_an_alert_of_a_rule_nobody_knows_any_more_is_always_a_concern() -> None:
    world = judged(rule())
    world.forget_rule(rule())
    assert concerned(world)


def test_hosts_not_watched_wait_for_their_record() -> None:
    rules = World(rule()).rule_set()
    facts = HostFacts(host=host())
    for status in (None, HostStatus.PAUSED, HostStatus.DELETED):
        assert not must_judge(HostAlerts(workspace_id=WORKSPACE, status=status), lambda: facts, rules, at=NOON)
    assert rules.rule(RULE) is not None


def test_facts_are_looked_at_only_if_the_row_does_not_answer() -> None:
    world = judged(rule())
    assert world.row is not None

    def never() -> HostFacts:
        raise AssertionError("looked at the facts")

    assert not must_judge(world.row, never, world.rule_set(), at=NOON)
    world.configure(rule(version=2))
    assert must_judge(world.row, never, world.rule_set(), at=NOON)
