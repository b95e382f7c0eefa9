"""Only hosts that a change concerns are judged again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.alerter.behind import must_judge
from services.alerter.state import HostAlerts, HostFacts
from tests.fakes.inputs import NOON, RULE, WORKSPACE, host, rule, snooze
from tests.unit.services.alerter.world import DAY, SECOND, SNOOZE, World
from vigilo.events.alerts import TransitionKind
from vigilo.events.cards import Verdict
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import RecordStatus, TaggedHosts
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan


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


def test_a_new_rule_that_is_false_concerns_a_host_only_if_it_needs_an_earlier_timer() -> None:
    """Its certificate has 80 days: a rule of 30 days needs the timer in 50 days."""
    world = World(rule())
    world.host()
    world.card(not_after=NOON + 80 * DAY)
    other = {"rule_id": UUID(int=RULE.int + 1)}
    world.configure(rule(trigger=ExpiresInLessThan(days=20), **other))
    assert not concerned(world)
    world.configure(rule(trigger=ExpiresInLessThan(days=40), version=2, **other))
    assert concerned(world)
    world.wake(reason="config")
    assert not concerned(world)
    assert world.decision.next_at == NOON + 40 * DAY + timedelta(microseconds=1)


def test_a_new_rule_that_only_a_scan_can_answer_concerns_nobody_of_whom_it_is_false() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=NOON + 80 * DAY)
    world.configure(rule(rule_id=UUID(int=RULE.int + 1), trigger=ChainValidationFails()))
    assert not concerned(world)
    bad = world.card(at=NOON + SECOND, not_after=NOON + 80 * DAY, chain_valid=Verdict.NO)
    assert [one.kind for one in bad] == [TransitionKind.OPENED]


def test_a_snooze_concerns_alerts_that_wait_for_its_end() -> None:
    for rules, concerns in (((rule(remind_every_minutes=60),), True), ((rule(),), False)):
        world = judged(*rules)
        world.configure(snooze(rule_id=RULE, until=NOON + DAY))
        assert concerned(world) is concerns
    held = World(rule())
    held.configure(snooze(snooze_id=SNOOZE, rule_id=RULE, until=NOON + DAY))
    held.host()
    held.card(not_after=NOON + 12 * DAY)
    assert not concerned(held)
    held.configure(snooze(snooze_id=SNOOZE, rule_id=RULE, until=NOON + DAY, version=2, status=RecordStatus.DELETED))
    assert concerned(held)
