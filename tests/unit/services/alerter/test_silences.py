"""Snoozes, acknowledgements and reminders."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.inputs import NOON, RULE, WORKSPACE, rule
from tests.unit.services.alerter.world import DAY, FAR, SECOND, SNOOZE, SOON, World, only, only_closed, opened
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.hosts import HostSnooze
from vigilo.events.rules import Snooze


def test_a_snoozed_host_opens_once_after_the_snooze_if_it_is_still_true() -> None:
    world = World(rule())
    until = NOON + timedelta(hours=1)
    world.host(snooze=HostSnooze(since=NOON - SECOND, until=until))
    suppressed = only(world.card(not_after=SOON), TransitionKind.SUPPRESSED)
    assert world.decision.next_at == until
    alert = only(world.wake(), TransitionKind.OPENED)
    assert (alert.alert_id, alert.n, alert.opened_at) == (suppressed.alert_id, 2, until)
    assert world.wake(due=until) == []


def test_a_snoozed_alert_that_clears_never_opens() -> None:
    world = World(rule())
    world.host(snooze=HostSnooze(since=NOON - SECOND, until=NOON + DAY))
    only(world.card(not_after=SOON), TransitionKind.SUPPRESSED)
    only_closed(world.card(at=NOON + SECOND, not_after=FAR), CloseReason.CLEARED)


def test_rules_and_tags_can_be_snoozed_and_unsnoozed() -> None:
    for what in ({"rule_id": RULE}, {"tag": "edge"}):
        world = World(rule())
        fields = {"snooze_id": SNOOZE, "workspace_id": WORKSPACE, "since": NOON, "until": NOON + DAY, **what}
        world.configure(Snooze.model_validate({**fields, "version": 1, "status": "active"}))
        world.host(tags=("edge",))
        only(world.card(not_after=SOON), TransitionKind.SUPPRESSED)
        world.configure(Snooze.model_validate({**fields, "version": 2, "status": "deleted"}))
        only(world.wake(reason="config"), TransitionKind.OPENED)


def test_an_acknowledgement_names_who_and_why() -> None:
    world, alert = opened()
    seen = only(world.acknowledge(alert_id=alert.alert_id, note="renewing"), TransitionKind.ACKNOWLEDGED)
    assert (seen.alert_id, seen.n, seen.note, seen.by) == (alert.alert_id, 2, "renewing", "ada")
    assert world.acknowledge(alert_id=SNOOZE) == []
    closed = only_closed(world.card(at=NOON + DAY, not_after=FAR), CloseReason.CLEARED)
    assert closed.n == 3
    assert world.acknowledge(alert_id=alert.alert_id) == []
