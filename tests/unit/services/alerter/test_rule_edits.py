"""What new, edited and vanished rules mean for a host's alerts."""

from __future__ import annotations

from tests.fakes.inputs import NOON, RULE, rule
from tests.unit.services.alerter.world import DAY, FAR, SNOOZE, SOON, World, only, only_closed, opened
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.rules import OneHost, RecordStatus, Severity, TaggedHosts


def test_a_rule_created_over_known_hosts_opens_at_once() -> None:
    world = World()
    world.host()
    world.card(not_after=SOON)
    world.configure(rule())
    alert = only(world.wake(reason="config"), TransitionKind.OPENED)
    assert (alert.cause, alert.decided_by.config_version["alert-rules"]) == ("rule", 1)
    assert world.row is not None
    assert world.row.rules_version == 1


def test_editing_name_channels_or_severity_says_nothing() -> None:
    world, _ = opened()
    world.configure(rule(version=2, name="another", severity=Severity.CRITICAL, channels=(SNOOZE,)))
    assert world.wake(reason="config") == []
    closed = only_closed(world.card(at=NOON + DAY, not_after=FAR), CloseReason.CLEARED)
    assert (closed.rule.name, closed.rule.version) == ("another", 2)


def test_editing_the_threshold_judges_again() -> None:
    world, _ = opened()
    world.configure(rule(version=2, trigger={"kind": "expires-in-less-than", "days": 20}))
    assert world.wake(reason="config") == []
    world.configure(rule(version=3, trigger={"kind": "expires-in-less-than", "days": 10}))
    only_closed(world.wake(reason="config"), CloseReason.CLEARED)


def test_an_alert_closes_with_its_rule() -> None:
    for change, reason in (
        ({"status": RecordStatus.DELETED}, CloseReason.RULE_DELETED),
        ({"enabled": False}, CloseReason.RULE_DISABLED),
        ({"scope": TaggedHosts(tag="edge")}, CloseReason.LEFT_SCOPE),
        ({"scope": OneHost(host_id=SNOOZE)}, CloseReason.LEFT_SCOPE),
    ):
        world, alert = opened()
        world.configure(rule(version=2, **change))
        closed = only_closed(world.wake(reason="config"), reason)
        assert (closed.alert_id, closed.rule.name) == (alert.alert_id, "expires soon")
        assert world.wake(reason="config") == []


def test_an_alert_of_a_rule_that_vanished_without_trace_is_still_closed() -> None:
    world, alert = opened()
    world.forget_rule(rule())
    closed = only_closed(world.wake(reason="config"), CloseReason.RULE_DELETED)
    assert (closed.alert_id, closed.rule.rule_id) == (alert.alert_id, RULE)


def test_a_rule_that_cannot_be_read_leaves_its_alerts_as_they_are() -> None:
    world, _ = opened()
    world.forget_rule(rule())
    world.unreadable = {RULE}
    assert world.wake(reason="config") == []
    assert world.card(at=NOON + DAY, not_after=FAR) == []
    world.unreadable = set()
    world.configure(rule(version=2))
    only_closed(world.wake(reason="config"), CloseReason.CLEARED)


def test_an_alert_closes_when_its_host_loses_the_tag_and_opens_anew_when_it_gets_it_back() -> None:
    world = World(rule(scope=TaggedHosts(tag="edge")))
    world.host(tags=("edge",))
    (first,) = world.card(not_after=SOON)
    only_closed(world.host(version=2), CloseReason.LEFT_SCOPE)
    again = only(world.host(version=3, tags=("edge",)), TransitionKind.OPENED)
    assert again.alert_id != first.alert_id
    assert (again.episode, again.n, again.cause) == (2, 1, "host")


def test_another_workspaces_rules_do_not_look_at_the_host() -> None:
    world = World(rule(workspace_id=SNOOZE))
    world.host()
    assert world.card(not_after=SOON) == []
