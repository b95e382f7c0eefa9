"""What hosts, commands, snapshots and the clock mean for a host's schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.scheduler.decide import Scheduler
from services.scheduler.planning import slot_at
from services.scheduler.state import Schedule
from tests.fakes import inputs
from tests.fakes.inputs import HOST, LEAF, NOON, OTHER_LEAF
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, next_slot, only_not_performed, only_request
from vigilo.events import ids
from vigilo.events.hosts import Host, HostStatus, Interval, Probing, Trust
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot

ODD = timedelta(microseconds=123_456)  # as clocks are


def test_a_new_host_is_scanned_at_once_on_the_fast_lane() -> None:
    world = World()
    asked = only_request(world.host(at=NOON + SECOND))
    assert (asked.reason, asked.lane, asked.depth) == (ScanReason.FIRST, Lane.NOW, Depth.LIGHT)
    assert asked.not_after == NOON + 61 * SECOND
    assert asked.requested_at == NOON
    assert asked.target == inputs.host().target()
    outgoing = world.decision.outputs[0]
    assert (outgoing.topic, outgoing.key) == ("scan-requested-now", "shop.example")
    assert outgoing.id == ids.request_id(asked.scan_id)


def test_a_host_added_paused_is_not_scanned_until_it_is_resumed() -> None:
    world = World()
    assert world.host(status=HostStatus.PAUSED) == []
    assert world.decision.next_at is None
    assert only_request(world.host(version=2)).reason is ScanReason.RESUMED


def test_every_slot_asks_for_one_scan_on_the_slow_lane() -> None:
    world = World()
    world.answer(world.host()[0])
    due = next_slot(NOON)
    assert world.decision.next_at == due
    asked = only_request(world.wake())
    assert world.decision.outputs[0].topic == "scan-requested"
    assert (asked.reason, asked.lane, asked.requested_at) == (ScanReason.SLOT, Lane.SLOW, due)
    assert asked.not_after == due + 15 * MINUTE
    assert asked.scan_id == ids.slot_scan_id(HOST, 1, slot_at(HOST, Interval.H1, due))
    world.answer(asked)
    assert world.wake(at=due + MINUTE) == []
    assert world.decision.next_at == due + 60 * MINUTE


def test_after_an_outage_only_the_newest_slot_is_asked_for() -> None:
    world = World()
    world.answer(world.host()[0])
    later = NOON + timedelta(hours=7)
    asked = only_request(world.wake(at=later))
    assert asked.slot == slot_at(HOST, Interval.H1, later)
    assert asked.not_after == later + 15 * MINUTE


def test_a_wakeup_that_comes_twice_or_early_does_nothing() -> None:
    world = World()
    world.answer(world.host()[0])
    due = next_slot(NOON)
    assert world.wake(at=due - SECOND) == []
    assert world.decision.next_at == due
    only_request(world.wake(at=due))
    assert world.wake(at=due) == []


def test_a_paused_host_is_not_asked_for_but_its_scan_under_way_is_still_ended() -> None:
    world = World()
    asked = only_request(world.host())
    assert world.host(version=2, status=HostStatus.PAUSED) == []
    assert world.decision.next_at == asked.not_after + 90 * SECOND
    only_not_performed(world.wake())
    assert world.decision.next_at is None


def test_a_late_snapshot_of_a_paused_host_completes_its_scan() -> None:
    world = World()
    asked = only_request(world.host())
    world.host(version=2, status=HostStatus.PAUSED)
    assert world.answer(asked) == []
    assert world.decision.next_at is None


def test_a_resumed_host_is_scanned_at_once() -> None:
    world = World()
    first = world.answer(world.host()[0])
    assert first == []
    world.host(version=2, status=HostStatus.PAUSED)
    asked = only_request(world.host(version=3, at=NOON + 3 * MINUTE, updated_at=NOON + 2 * MINUTE))
    assert (asked.reason, asked.lane, asked.requested_at) == (ScanReason.RESUMED, Lane.NOW, NOON + 2 * MINUTE)


def test_editing_whom_to_meet_or_whom_to_trust_scans_at_once() -> None:
    edits: tuple[dict[str, Any], ...] = (
        {"hostname": "new.example"},
        {"port": 8443},
        {"address": "127.0.0.1"},
        {"trust": Trust.PRIVATE},
    )
    for edit in edits:
        world = World()
        world.answer(world.host()[0])
        asked = only_request(world.host(version=2, **edit))
        assert (asked.reason, asked.lane) == (ScanReason.EDITED, Lane.NOW)
        assert asked.target == inputs.host(version=2, **edit).target()


def test_editing_tags_or_notes_asks_for_nothing() -> None:
    world = World()
    world.answer(world.host()[0])
    assert world.host(version=2, tags=("edge",), notes="moved") == []


def test_another_interval_counts_its_slots_in_a_new_epoch() -> None:
    world = World()
    world.answer(world.host()[0])
    assert world.host(version=2, interval=Interval.M5) == []
    due = next_slot(NOON, Interval.M5)
    assert world.decision.next_at == due
    asked = only_request(world.wake())
    assert asked.scan_id == ids.slot_scan_id(HOST, 2, slot_at(HOST, Interval.M5, due))


def test_a_host_record_that_is_not_newer_is_dropped() -> None:
    world = World()
    world.answer(world.host(version=5)[0])
    row = world.row
    for stale in (inputs.host(version=5, port=1), inputs.host(version=4, status=HostStatus.DELETED)):
        assert world.hear("hosts", stale) == []
        assert world.row == row


def test_a_deleted_host_keeps_only_its_version_until_the_tombstone() -> None:
    world = World()
    asked = world.host()[0]
    assert world.host(version=2, status=HostStatus.DELETED) == []
    assert world.row == Schedule(workspace_id=inputs.WORKSPACE, version=2, status=HostStatus.DELETED)
    assert (world.known, world.decision.next_at) == (None, None)
    assert world.answer(asked) == []
    assert world.host(version=1) == []
    assert world.command(at=NOON) == []
    assert world.row == Schedule(workspace_id=inputs.WORKSPACE, version=2, status=HostStatus.DELETED)
    world.hear("hosts", None)
    assert world.row is None
    assert world.answer(asked) == []
    assert world.row is None


def test_the_next_request_repeats_what_the_last_good_scan_saw() -> None:
    world = World()
    first = only_request(world.host())
    assert first.baseline is None
    world.answer(first, chain=(LEAF, OTHER_LEAF))
    second = only_request(world.wake())
    assert second.baseline is not None
    assert (second.baseline.scan_id, second.baseline.chain_sha256) == (first.scan_id, (LEAF, OTHER_LEAF))


def test_the_side_row_is_written_only_when_it_changes() -> None:
    world = World()
    world.answer(world.host()[0])
    assert "hosts" in world.decision.side
    world.answer_lightly(only_request(world.wake()))
    assert "hosts" not in world.decision.side


def test_a_failed_or_older_scan_leaves_the_baseline_alone() -> None:
    world = World()
    world.answer(world.host(probing=Probing.HANDSHAKE_ONLY)[0])
    older = only_request(world.command(at=NOON + MINUTE))
    newer = only_request(world.command(at=NOON + 2 * MINUTE))
    world.answer(newer, chain=(OTHER_LEAF,))
    world.answer(older, chain=(LEAF,))
    world.answer(only_request(world.wake()), outcome=Outcome.REFUSED, chain=())
    assert world.known is not None
    assert world.known.baseline is not None
    assert world.known.baseline.chain_sha256 == (OTHER_LEAF,)


def test_another_port_starts_a_new_baseline_and_forgets_scans_of_the_old_one() -> None:
    world = World()
    world.answer(world.host()[0])
    under_way = only_request(world.command(at=NOON + MINUTE))
    asked = only_request(world.host(version=2, port=8443))
    assert asked.baseline is None
    world.answer(under_way)
    assert world.known is not None
    assert world.known.baseline is None
    assert world.row is not None
    assert [one.scan_id for one in world.row.outstanding] == [asked.scan_id]


def test_an_edit_of_tags_keeps_the_baseline() -> None:
    world = World()
    world.answer(world.host()[0])
    world.host(version=2, tags=("edge",))
    assert only_request(world.wake()).baseline is not None


def test_a_pool_that_does_not_exist_is_said_and_never_sent_to() -> None:
    world = World(pools_of=lambda _: frozenset({"public", "dc1"}))
    ended = only_not_performed(world.host(pool="dc2"))
    assert ended.detail == "no such pool: dc2"
    assert world.decision.next_at == next_slot(NOON)
    only_not_performed(world.wake())


def test_a_private_pool_has_a_pair_of_topics_of_its_own() -> None:
    world = World(pools_of=lambda _: frozenset({"public", "dc1"}))
    world.answer(world.host(pool="dc1")[0])
    only_request(world.wake())
    assert [outgoing.topic for outgoing in world.decision.outputs] == ["scan-requested-dc1"]


def test_the_fourth_unanswered_scan_gives_up_the_first() -> None:
    world = World()
    first = only_request(world.host(probing=Probing.HANDSHAKE_ONLY))
    for seconds in (10, 20):
        only_request(world.command(at=NOON + seconds * SECOND))
    asked, ended = world.command(at=NOON + 30 * SECOND)
    assert isinstance(asked, ScanRequested)
    assert isinstance(ended, Snapshot)
    assert (ended.scan_id, ended.detail) == (first.scan_id, "given up for newer requests")


def test_events_that_contradict_their_key_or_workspace_are_refused_whole() -> None:
    world = World()
    world.host()
    row, other = world.row, ids.new_id()
    world.hear("hosts", inputs.host(version=2), key=other)
    assert world.decision.refused == "wrong-key"
    world.hear("hosts", inputs.host(version=2, workspace_id=other))
    assert world.decision.refused == "workspace-changed"
    world.hear("snapshots", None)
    assert world.decision.refused == "tombstone"
    world.hear("hosts", inputs.host(version=2), key="not-a-uuid")
    assert world.decision.refused == "bad-key"
    assert world.row == row


def test_a_wakeup_carries_its_due_time_and_a_derived_id() -> None:
    outgoing = Scheduler().wakeup(str(HOST), due=NOON)
    assert outgoing.event == SchedulerWakeup(host_id=HOST, due=NOON)
    assert (outgoing.topic, outgoing.key) == ("scheduler-wakeups", str(HOST))
    assert outgoing.id == ids.wakeup_id("scheduler", str(HOST), NOON)


def test_the_row_stays_under_one_kilobyte() -> None:
    world = World()
    world.host(probing=Probing.HANDSHAKE_ONLY, at=NOON + ODD)
    for seconds in (10, 20, 30):
        world.command(at=NOON + seconds * SECOND + ODD)
    world.command(at=NOON + 31 * SECOND + ODD, host_version=9)
    assert world.row is not None
    assert len(world.row.outstanding) == 3
    assert len(world.row.model_dump_json()) < 1024


def test_host_records_are_remembered_whole() -> None:
    world = World()
    record = inputs.host(notes="n" * 1000, tags=("a", "b"))
    world.hear("hosts", record)
    assert isinstance(record, Host)
    assert world.known is not None
    assert world.known.host == record
