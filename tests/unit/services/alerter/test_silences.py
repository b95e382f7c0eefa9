"""Snoozes, acknowledgements and reminders."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes import inputs
from tests.fakes.inputs import NOON, RULE, WORKSPACE, rule
from tests.unit.services.alerter.world import DAY, FAR, SECOND, SNOOZE, SOON, World, only, only_closed, opened
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.hosts import HostSnooze
from vigilo.events.rules import Snooze

HOUR = timedelta(hours=1)


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


def test_an_open_alert_stays_open_when_a_snooze_begins_and_is_not_told_again() -> None:
    world, alert = opened(rule(remind_every_minutes=60))
    until = NOON + 5 * HOUR
    assert world.host(version=2, snooze=HostSnooze(since=NOON, until=until)) == []
    assert world.decision.next_at == until
    assert world.card(at=NOON + 2 * HOUR, not_after=SOON) == []
    reminded = only(world.wake(), TransitionKind.REMINDER)
    assert (reminded.alert_id, reminded.at, reminded.n) == (alert.alert_id, until, 2)


def test_a_close_is_told_under_a_snooze_too() -> None:
    world, _ = opened()
    world.host(version=2, snooze=HostSnooze(since=NOON, until=NOON + DAY))
    only_closed(world.card(at=NOON + SECOND, not_after=FAR), CloseReason.CLEARED)


def test_a_snooze_that_begins_later_lets_through_what_comes_before() -> None:
    world = World(rule())
    world.host(snooze=HostSnooze(since=NOON + HOUR, until=NOON + DAY))
    only(world.card(not_after=SOON), TransitionKind.OPENED)
    only_closed(world.card(at=NOON + 2 * HOUR, not_after=FAR), CloseReason.CLEARED)
    suppressed = only(world.card(at=NOON + 3 * HOUR, not_after=SOON), TransitionKind.SUPPRESSED)
    assert suppressed.snoozed_until == NOON + DAY


def test_snoozes_one_after_the_other_are_one_silence() -> None:
    world = World(rule())
    world.configure(
        inputs.snooze(rule_id=RULE, until=NOON + HOUR),
        inputs.snooze(tag="edge", since=NOON + HOUR, until=NOON + 2 * HOUR),
    )
    world.host(tags=("edge",))
    only(world.card(not_after=SOON), TransitionKind.SUPPRESSED)
    assert world.wake() == []
    assert only(world.wake(), TransitionKind.OPENED).at == NOON + 2 * HOUR


def test_reminders_come_by_the_timer_and_a_repeated_one_reminds_nobody() -> None:
    world, alert = opened(rule(remind_every_minutes=60))
    for hour in (1, 2, 3):
        due = world.decision.next_at
        assert due == NOON + hour * HOUR
        reminder = only(world.wake(), TransitionKind.REMINDER)
        assert (reminder.alert_id, reminder.n, reminder.opened_at) == (alert.alert_id, 1 + hour, NOON)
        assert world.wake(due=due) == []
    world.acknowledge(alert_id=alert.alert_id)
    assert world.wake() == []
    assert world.decision.next_at is None


def test_a_second_click_is_no_news_but_another_person_or_note_is() -> None:
    world, alert = opened()
    sent = [
        world.acknowledge(alert_id=alert.alert_id, by=by, note=note)
        for by, note in (("ada", None), ("ada", None), ("grace", None), ("grace", "mine"), ("grace", "mine"))
    ]
    assert [len(one) for one in sent] == [1, 0, 1, 1, 0]
    last = sent[3][0]
    assert (last.n, last.by, last.note) == (4, "grace", "mine")
    assert world.row is not None
    kept = world.row.alerts[RULE].acknowledged
    assert kept is not None
    assert (kept.by, kept.note) == ("grace", "mine")


def test_nobody_acknowledges_what_was_never_told() -> None:
    world = World(rule(open_after=2))
    world.host()
    pending = only(world.card(not_after=SOON), TransitionKind.PENDING)
    assert world.acknowledge(alert_id=pending.alert_id) == []


def test_an_acknowledged_alert_with_reminders_costs_less_than_a_kilobyte_of_row() -> None:
    world, alert = opened(rule(remind_every_minutes=60))
    only(world.wake(), TransitionKind.REMINDER)
    only(world.acknowledge(alert_id=alert.alert_id, by="é" * 500, note="é" * 5000), TransitionKind.ACKNOWLEDGED)
    assert world.row is not None
    assert len(world.row.alerts[RULE].model_dump_json().encode()) < 1024
