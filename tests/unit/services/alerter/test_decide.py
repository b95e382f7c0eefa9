"""What hosts, cards and the clock mean for a host's alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerter.state import HostAlerts
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON, RULE, WORKSPACE, rule
from tests.unit.services.alerter.world import DAY, FAR, SECOND, SNOOZE, SOON, World, only, only_closed, opened
from vigilo.events import ids
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import TrustReason, Verdict
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import Severity
from vigilo.events.triggers import ChainValidationFails


def test_a_card_opens_an_alert_with_everything_a_message_needs() -> None:
    world = World(rule(severity=Severity.CRITICAL, runbook_url="https://runbooks.example/tls"))
    assert world.host(tags=("edge",), owner="platform") == []
    (alert,) = world.card(not_after=SOON, at=NOON)
    card_id = str(ids.report_card_id(ids.caused_scan_id(HOST, NOON.isoformat())))
    assert alert.alert_id == ids.alert_id(RULE, HOST, card_id)
    assert alert.transition_id == ids.transition_id(alert.alert_id, 1)
    assert (alert.kind, alert.n, alert.episode) == (TransitionKind.OPENED, 1, 1)
    assert alert.summary == "shop.example:443: certificate expires in 12 days (2026-12-05 20:00 UTC)"
    assert (alert.host.owner, alert.host.tags, alert.host.version) == ("platform", ("edge",), 1)
    assert (alert.rule.severity, alert.rule.runbook_url) == (Severity.CRITICAL, "https://runbooks.example/tls")
    assert alert.facts.not_after == SOON
    assert alert.facts.days_left == pytest.approx(12.3333)
    assert (alert.facts.fingerprint_sha256, alert.facts.outcome) == (inputs.LEAF, "ok")
    assert alert.facts.scan_id == ids.caused_scan_id(HOST, NOON.isoformat())
    assert alert.opened_at == alert.at == NOON
    outgoing = world.decision.outputs[0]
    assert (outgoing.topic, outgoing.key, outgoing.id) == ("alerts", str(HOST), alert.transition_id)


def test_a_transition_says_what_decided_it() -> None:
    _, alert = opened()
    by = alert.decided_by
    assert (by.topic, by.partition, by.offset, by.at) == ("report-cards", 0, 0, NOON)
    assert by.config_version == {"alert-rules": 1, "snoozes": 0}
    assert alert.alert_id == ids.alert_id(RULE, HOST, by.ce_id)
    assert alert.cause == "scan"


def test_the_alert_closes_by_itself_when_the_certificate_is_replaced() -> None:
    world, alert = opened()
    closed = only_closed(world.card(at=NOON + DAY, not_after=FAR), CloseReason.CLEARED)
    assert (closed.alert_id, closed.n, closed.opened_at) == (alert.alert_id, 2, NOON)
    assert closed.summary == "shop.example:443: cleared: certificate expires in 79 days (2027-02-11 12:00 UTC)"


def test_what_stays_true_says_nothing_more() -> None:
    world, _ = opened()
    assert world.card(at=NOON + DAY, not_after=SOON) == []


def test_an_unreachable_host_keeps_its_alert_and_its_expiry() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=NOON + 31 * DAY)
    assert world.card(at=NOON + SECOND) == []
    alert = only(world.wake(), TransitionKind.OPENED)
    assert alert.facts.outcome == "unreachable"
    assert alert.facts.scanned_at == NOON
    assert world.card(at=NOON + 3 * DAY) == []


def test_a_threshold_crossed_by_time_alone_opens_at_that_instant() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=FAR)
    assert world.decision.next_at == FAR - 30 * DAY + timedelta(microseconds=1)
    alert = only(world.wake(), TransitionKind.OPENED)
    assert (alert.cause, alert.decided_by.topic) == ("time", "alerter-wakeups")
    assert alert.at == FAR - 30 * DAY + timedelta(microseconds=1)
    assert world.decision.next_at is None


def test_a_timer_that_comes_twice_or_early_opens_nothing() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=FAR)
    due = world.decision.next_at
    assert due is not None
    assert world.wake(due=NOON + DAY) == []
    assert world.decision.next_at == due
    alert = only(world.wake(), TransitionKind.OPENED)
    assert world.wake(due=due) == []
    only_closed(world.card(at=due + DAY, not_after=due + 80 * DAY), CloseReason.CLEARED)
    assert world.wake(due=due) == []
    assert alert.alert_id is not None


def test_a_repeated_timer_never_opens_a_second_alert_under_the_first_ones_id() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=FAR)
    first_due = world.decision.next_at
    first = only(world.wake(), TransitionKind.OPENED)
    world.card(at=world.at + SECOND, not_after=FAR + DAY)
    second_due = world.decision.next_at
    assert first_due is not None
    assert second_due is not None
    world.at = second_due + SECOND
    assert world.wake(due=first_due) == []
    assert world.decision.next_at == second_due
    second = only(world.wake(due=second_due), TransitionKind.OPENED)
    assert second.alert_id != first.alert_id


def test_pausing_closes_and_the_first_scan_after_resuming_opens_a_new_alert() -> None:
    world, alert = opened()
    closed = only_closed(world.host(version=2, status=HostStatus.PAUSED), CloseReason.HOST_PAUSED)
    assert closed.facts.not_after == SOON
    assert world.decision.next_at is None
    assert world.host(version=3) == []
    assert world.card(at=NOON + SECOND, not_after=SOON - DAY) == [], "asked for before the pause"
    resumed = inputs.host(version=3).target()
    again = only(world.card(at=NOON + 2 * SECOND, not_after=SOON - DAY, target=resumed), TransitionKind.OPENED)
    assert again.alert_id != alert.alert_id
    assert again.facts.not_after == SOON - DAY


def test_what_was_mended_in_a_pause_is_not_told_when_the_host_is_resumed() -> None:
    world, _ = opened()
    world.host(version=2, status=HostStatus.PAUSED)
    assert world.host(version=3) == []
    world.configure(rule(version=2, severity=Severity.CRITICAL))
    assert world.wake(reason="config") == []
    assert world.card(at=NOON + DAY, not_after=FAR, target=inputs.host(version=3).target()) == []


def test_a_host_that_is_dark_after_a_pause_is_judged_by_the_certificate_seen_before_it() -> None:
    world, _ = opened()
    world.host(version=2, status=HostStatus.PAUSED)
    world.host(version=3)
    dark = world.card(at=NOON + DAY, target=inputs.host(version=3).target())
    assert only(dark, TransitionKind.OPENED).facts.not_after == SOON


def test_deleting_closes_and_keeps_only_the_version_until_the_tombstone() -> None:
    world, _ = opened()
    only_closed(world.host(version=2, status=HostStatus.DELETED), CloseReason.HOST_DELETED)
    gone = HostAlerts(workspace_id=WORKSPACE, version=2, status=HostStatus.DELETED)
    assert (world.row, world.facts) == (gone, None)
    assert world.card(at=NOON + DAY, not_after=SOON) == []
    assert world.host(version=1) == []
    assert world.wake(reason="config") == []
    assert (world.row, world.facts) == (gone, None)
    world.hear("hosts", None)
    assert world.row is None
    assert world.wake(reason="config") == []
    assert world.row is None


def test_a_card_that_overtakes_its_host_record_waits_for_it() -> None:
    world = World(rule())
    assert world.card(not_after=SOON) == []
    assert only(world.host(), TransitionKind.OPENED).cause == "host"


def test_a_card_of_the_edited_host_that_overtakes_the_edit_is_judged_when_the_edit_arrives() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=FAR)
    moved = inputs.host(version=2, port=8443)
    assert world.card(at=NOON + SECOND, target=moved.target(), not_after=SOON) == []
    only(world.host(version=2, port=8443), TransitionKind.OPENED)


def test_what_was_known_of_another_peer_is_not_used() -> None:
    world = World(rule(), rule(rule_id=SNOOZE, trigger=ChainValidationFails()))
    world.host()
    world.card(not_after=SOON)
    assert world.host(version=2, port=8443) == []
    late = inputs.host().target()
    assert world.card(at=NOON + SECOND, target=late, not_after=FAR) == []
    moved = inputs.host(version=2, port=8443).target()
    only_closed(world.card(at=NOON + 2 * SECOND, target=moved, not_after=FAR), CloseReason.CLEARED)


def test_late_and_repeated_cards_change_nothing() -> None:
    world, _ = opened()
    row, facts = world.row, world.facts
    assert world.card(requested_at=NOON - DAY, not_after=FAR) == []
    assert world.card(requested_at=NOON + DAY, late=True, not_after=FAR) == []
    assert world.card(requested_at=NOON, not_after=FAR) == []
    assert (world.row, world.facts) == (row, facts)


def test_a_late_card_keeps_the_timer() -> None:
    world = World(rule())
    world.host()
    world.card(not_after=FAR)
    due = world.decision.next_at
    world.card(requested_at=NOON - DAY, not_after=FAR, at=NOON + 60 * DAY)
    assert world.decision.next_at == due


def test_confirmation_counts_cards_not_judgements() -> None:
    world = World(rule(trigger=ChainValidationFails(), open_after=3, close_after=2))
    bad: dict[str, Any] = {"not_after": FAR, "chain_valid": Verdict.NO, "chain_reason": TrustReason.INCOMPLETE}
    world.host()
    pending = only(world.card(**bad), TransitionKind.PENDING)
    assert world.host(version=2) == []
    assert world.wake(reason="config") == []
    assert world.card(at=NOON + SECOND, **bad) == []
    assert world.card(at=NOON + 2 * SECOND) == []
    alert = only(world.card(at=NOON + 3 * SECOND, **bad), TransitionKind.OPENED)
    assert (alert.alert_id, alert.n) == (pending.alert_id, 2)
    assert alert.summary == "shop.example:443: chain validation fails (incomplete)"
    clearing = only(world.card(at=NOON + 4 * SECOND, not_after=FAR), TransitionKind.CLEARING)
    assert (pending.scans_to_confirm, clearing.scans_to_confirm, alert.scans_to_confirm) == (2, 1, 0)
    only_closed(world.card(at=NOON + 5 * SECOND, not_after=FAR), CloseReason.CLEARED)


def test_a_pool_that_lost_its_network_neither_opens_nor_closes() -> None:
    world = World(rule(trigger=ChainValidationFails()))
    world.host()
    only(world.card(not_after=FAR, chain_valid=Verdict.NO), TransitionKind.OPENED)
    assert world.card(at=NOON + SECOND, not_after=FAR, pool_suspect=True) == []


def test_a_scan_command_is_none_of_the_alerters_business() -> None:
    world = World()
    world.hear("host-commands", inputs.scan_command(at=NOON))
    assert world.row is None


def test_events_that_contradict_their_key_or_workspace_are_refused_whole() -> None:
    world, _ = opened()
    row = world.row
    for event, key, reason in (
        (inputs.host(version=2), SNOOZE, "wrong-key"),
        (inputs.host(version=2, workspace_id=SNOOZE), HOST, "workspace-changed"),
    ):
        world.hear("hosts", event, key=key)
        assert world.decision.refused == reason
    world.hear("report-cards", None)
    assert world.decision.refused == "tombstone"
    assert world.row == row


def test_the_side_row_is_written_only_when_it_changes() -> None:
    world, _ = opened()
    assert "facts" in world.decision.side
    world.card(at=NOON + SECOND, not_after=SOON)
    assert "facts" not in world.decision.side


def test_an_open_alert_costs_less_than_a_kilobyte_of_row() -> None:
    rules = [rule(rule_id=UUID(int=RULE.int + number)) for number in range(50)]
    world = World(*rules)
    world.host()
    empty = len(HostAlerts().model_dump_json())
    assert len(world.card(not_after=SOON)) == 50
    assert world.row is not None
    assert (len(world.row.model_dump_json()) - empty) / 50 < 512
