"""Certificate changes: told once, or, under a snooze, written down only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.fakes import inputs
from tests.fakes.inputs import HOST, LEAF, NOON, OTHER_LEAF, RULE, rule
from tests.unit.services.alerter.world import DAY, SECOND, SNOOZE, SOON, World, only, only_closed
from vigilo.events import ids
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import Unexpected
from vigilo.events.hosts import HostSnooze, HostStatus
from vigilo.events.rules import TaggedHosts
from vigilo.events.triggers import CertificateChanged

ANY = CertificateChanged(which="any")


def watching(*rules: Any, **host_changes: Any) -> World:
    world = World(*(rules or (rule(trigger=ANY),)))
    world.host(**host_changes)
    return world


def test_a_change_is_one_transition_of_an_alert_of_its_own() -> None:
    world = watching()
    told = only(world.change(at=NOON + SECOND), TransitionKind.NOTICE)
    change_id = str(ids.certificate_change_id(HOST, told.facts.scan_id or HOST))
    assert told.alert_id == ids.alert_id(RULE, HOST, change_id)
    assert (told.n, told.episode, told.cause, told.close_reason) == (1, 1, "change", None)
    assert (told.facts.fingerprint_sha256, told.facts.old_fingerprint_sha256) == (OTHER_LEAF, LEAF)
    assert told.decided_by.topic == "certificate-changes"
    again = only(world.change(at=NOON + 2 * SECOND), TransitionKind.NOTICE)
    assert (again.n, again.episode) == (1, 2)
    assert again.alert_id != told.alert_id
    assert world.row is not None
    assert not any(state.alive for state in world.row.alerts.values())


def test_each_rule_in_scope_tells_of_what_it_asks_for() -> None:
    numbered = [UUID(int=RULE.int + number) for number in range(4)]
    world = watching(
        rule(rule_id=numbered[0], trigger=ANY),
        rule(rule_id=numbered[1], trigger=CertificateChanged()),
        rule(rule_id=numbered[2], trigger=ANY, scope=TaggedHosts(tag="edge")),
        rule(rule_id=numbered[3]),
    )
    assert [one.rule.rule_id for one in world.change(at=NOON + SECOND)] == [numbered[0]]
    sent = world.change(at=NOON + 2 * SECOND, unexpected=(Unexpected.NAME_LOST,))
    assert [one.rule.rule_id for one in sent] == [numbered[0], numbered[1]]
    assert sent[1].facts.unexpected == (Unexpected.NAME_LOST,)


def test_under_a_snooze_history_knows_of_it_and_nobody_is_told() -> None:
    until = NOON + DAY
    world = watching(snooze=HostSnooze(since=NOON, until=until))
    held, over = world.change(at=NOON + SECOND)
    assert (held.kind, held.n, held.snoozed_until) == (TransitionKind.SUPPRESSED, 1, until)
    only_closed([over], CloseReason.CLEARED)
    assert (over.alert_id, over.n) == (held.alert_id, 2)
    assert world.decision.next_at is None
    assert world.wake(due=until) == []


def test_repeated_late_and_foreign_changes_are_no_news() -> None:
    world = watching()
    only(world.change(requested_at=NOON + DAY), TransitionKind.NOTICE)
    assert world.change(requested_at=NOON + DAY) == []
    assert world.change(requested_at=NOON + SECOND) == []
    other = inputs.host(port=8443).target()
    assert world.change(requested_at=NOON + 2 * DAY, target=other) == []


def test_a_rule_does_not_tell_of_what_was_before_it() -> None:
    world = watching(rule(trigger=ANY, created_at=NOON + DAY))
    assert world.change(requested_at=NOON + DAY - SECOND) == []
    only(world.change(requested_at=NOON + DAY), TransitionKind.NOTICE)


def test_hosts_not_watched_have_no_news() -> None:
    unknown = World(rule(trigger=ANY))
    assert unknown.change(at=NOON + SECOND) == []
    assert unknown.row is None
    for status in (HostStatus.PAUSED, HostStatus.DELETED):
        world = watching()
        world.host(version=2, status=status)
        assert world.change(at=NOON + SECOND) == []


def test_a_change_is_judged_like_any_input() -> None:
    """A rule became one of changes, and its open alert has not been judged since: it closes before the notice."""
    world = watching(rule())
    only(world.card(not_after=SOON), TransitionKind.OPENED)
    world.configure(rule(version=2, trigger=ANY))
    closed, told = world.change(at=NOON + timedelta(seconds=5))
    only_closed([closed], CloseReason.NOT_APPLICABLE)
    only([told], TransitionKind.NOTICE)
    assert (closed.episode, told.episode) == (1, 2)


def test_a_tag_snoozed_elsewhere_silences_nothing_here() -> None:
    world = watching(tags=("core",))
    assert world.row is not None
    world.configure(inputs.snooze(snooze_id=SNOOZE, tag="edge", until=NOON + DAY))
    only(world.change(at=NOON + SECOND), TransitionKind.NOTICE)
