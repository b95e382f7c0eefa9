"""Scans nobody performed: how they end, and when they are asked for again."""

from __future__ import annotations

from tests.fakes.inputs import HOST
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, next_slot, only_not_performed, only_request
from vigilo.events import ids
from vigilo.events.hosts import Interval
from vigilo.events.scans import Lane, ScanReason


def test_a_scan_nobody_performed_ends_in_a_snapshot_90_seconds_after_it_expired() -> None:
    world = World()
    asked = only_request(world.host())
    assert world.wake(at=asked.not_after + 89 * SECOND) == []
    ended = only_not_performed(world.wake())
    assert world.at == asked.not_after + 90 * SECOND
    assert (ended.scan_id, ended.requested_at, ended.target) == (asked.scan_id, asked.requested_at, asked.target)
    assert ended.detail == "no scanner took the request in time"
    outgoing = world.decision.outputs[0]
    assert (outgoing.topic, outgoing.key, outgoing.id) == ("snapshots", str(HOST), ids.snapshot_id(asked.scan_id))


def test_our_own_not_performed_comes_back_and_changes_nothing() -> None:
    world = World()
    asked = only_request(world.host())
    ended = only_not_performed(world.wake(at=asked.not_after + 90 * SECOND))
    row, due = world.row, world.decision.next_at
    assert world.hear("snapshots", ended) == []
    assert (world.row, world.decision.next_at) == (row, due)


def test_what_nobody_performed_is_asked_again_after_five_minutes_under_a_new_id() -> None:
    world = World()
    asked = only_request(world.host())
    world.wake(at=asked.not_after + 90 * SECOND)
    ended_at = world.at
    assert world.decision.next_at == ended_at + 5 * MINUTE
    again = only_request(world.wake())
    assert again.scan_id != asked.scan_id
    assert again.requested_at > asked.requested_at
    assert (again.reason, again.lane) == (ScanReason.RETRY, Lane.SLOW)


def test_the_next_slot_stands_for_the_repetition_if_it_comes_first() -> None:
    world = World()
    asked = only_request(world.host(interval=Interval.M5))
    world.answer(asked)
    slot = only_request(world.wake())
    world.wake(at=slot.not_after + 90 * SECOND)
    assert world.decision.next_at == slot.requested_at + 5 * MINUTE
    assert only_request(world.wake()).reason is ScanReason.SLOT
    assert world.row is not None
    assert world.row.retry is None


def test_a_snapshot_that_comes_after_all_cancels_the_repetition() -> None:
    world = World()
    asked = only_request(world.host())
    world.wake(at=asked.not_after + 90 * SECOND)
    assert world.answer(asked) == []
    assert world.decision.next_at == next_slot(world.at)
