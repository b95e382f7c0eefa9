"""What people ask for: a scan now, and a judgement anew."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, only_request
from vigilo.events import ids
from vigilo.events.hosts import HostCommandKind
from vigilo.events.scans import Depth, Lane, ScanReason, ScanRequested


def test_scan_now_is_asked_for_at_once() -> None:
    world = World()
    world.answer(world.host()[0])
    command = ids.new_id()
    asked = only_request(world.command(at=NOON + MINUTE, command=command))
    assert (asked.reason, asked.lane, asked.command_id) == (ScanReason.COMMAND, Lane.NOW, command)
    assert asked.scan_id == ids.command_scan_id(command)
    assert asked.requested_at == NOON + MINUTE


def test_scan_now_waits_for_the_version_it_was_given_on() -> None:
    world = World()
    assert world.command(at=NOON, host_version=2) == []
    world.answer(only_request(world.host()))
    sent = world.host(version=2, port=8443)
    reasons = [one.reason for one in sent if isinstance(one, ScanRequested)]
    assert reasons == [ScanReason.EDITED, ScanReason.COMMAND]
    assert all(isinstance(one, ScanRequested) and one.target.port == 8443 for one in sent)


def test_a_second_scan_now_within_ten_seconds_is_answered_by_the_one_under_way() -> None:
    world = World()
    world.answer(world.host()[0])
    only_request(world.command(at=NOON + MINUTE))
    assert world.command(at=NOON + MINUTE + 9 * SECOND) == []
    assert world.row is not None
    assert world.row.command is None


def test_a_second_scan_now_after_the_first_came_back_waits_until_ten_seconds_have_passed() -> None:
    world = World()
    world.answer(world.host()[0])
    world.answer(only_request(world.command(at=NOON + MINUTE)))
    assert world.command(at=NOON + MINUTE + 3 * SECOND) == []
    assert world.decision.next_at == NOON + MINUTE + 10 * SECOND
    assert only_request(world.wake()).reason is ScanReason.COMMAND


def test_scan_now_by_a_clock_that_is_ahead_is_not_delayed() -> None:
    world = World()
    world.answer(world.host()[0])
    ahead = inputs.scan_command(at=NOON + timedelta(hours=1))
    asked = only_request(world.hear("host-commands", ahead, at=NOON + SECOND))
    assert asked.requested_at == NOON + SECOND


def test_a_rejudgement_is_a_light_scan_and_takes_nothing_from_scan_now() -> None:
    world = World()
    world.answer(world.host()[0])
    asked = only_request(world.command(at=NOON + MINUTE, kind=HostCommandKind.REJUDGE))
    assert (asked.reason, asked.lane, asked.depth) == (ScanReason.COMMAND, Lane.NOW, Depth.LIGHT)
    world.answer_lightly(asked)
    assert world.command(at=NOON + MINUTE + 2 * SECOND) == []
    assert world.command(at=NOON + MINUTE + 3 * SECOND, kind=HostCommandKind.REJUDGE) == []
    assert only_request(world.wake()).depth is Depth.FULL


def test_a_rejudgement_is_not_answered_by_a_scan_that_was_under_way() -> None:
    world = World()
    world.answer(world.host()[0])
    under_way = only_request(world.command(at=NOON + MINUTE, kind=HostCommandKind.REJUDGE))
    assert world.command(at=NOON + MINUTE + SECOND, kind=HostCommandKind.REJUDGE) == []
    world.answer_lightly(under_way)
    assert world.decision.next_at == NOON + MINUTE + 10 * SECOND
    assert only_request(world.wake()).depth is Depth.LIGHT


def test_an_acknowledgement_is_none_of_the_schedulers_business() -> None:
    world = World()
    assert world.command(at=NOON, kind=HostCommandKind.ACKNOWLEDGE) == []
    assert world.row is None
