"""How deep each scan looks, and what is remembered of the posture."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from services.scanner.depths import FULL_SECONDS
from services.scanner.performing import HOST_SECONDS
from services.scanner.scan import LIGHT_SECONDS
from services.scheduler.decide import Scheduler
from services.scheduler.planning import Timing, slot_at, slot_start
from services.scheduler.state import KnownHost
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON
from tests.unit.services.scheduler.measuring import (
    CHECKED,
    HOUR,
    baseline_posture,
    seen_by_scanner,
    slots,
    watched,
)
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, next_slot, only_request
from vigilo.events import ids
from vigilo.events.hosts import HostStatus, Interval, Protocol, Trust
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot


def test_the_first_look_is_light_and_a_full_one_follows_at_once() -> None:
    world = World()
    first = only_request(world.host())
    full = only_request(world.answer_lightly(first, at=NOON + SECOND))
    assert (first.depth, full.depth) == (Depth.LIGHT, Depth.FULL)
    assert (full.reason, full.lane) == (ScanReason.BASELINE, Lane.NOW)
    assert full.scan_id == ids.caused_scan_id(HOST, f"baseline/{first.scan_id}")
    assert full.requested_at == NOON + SECOND
    assert full.not_after == NOON + SECOND + 5 * MINUTE
    assert world.answer(full) == []
    assert baseline_posture(world) == inputs.posture()


def test_a_light_scan_that_comes_twice_asks_for_one_full_scan() -> None:
    world = World()
    first = only_request(world.host())
    only_request(world.answer_lightly(first))
    assert world.answer_lightly(first) == []


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.TLS_TIMEOUT, Outcome.NAME_NOT_FOUND])
def test_a_host_that_does_not_speak_tls_is_not_enumerated(outcome: Outcome) -> None:
    world = World()
    assert world.answer_lightly(world.host()[0], outcome=outcome, chain=()) == []
    assert only_request(world.wake()).depth is Depth.LIGHT


def test_the_scan_that_a_person_asked_for_meanwhile_is_the_full_one() -> None:
    world = World()
    first = only_request(world.host())
    asked = only_request(world.command(at=NOON + SECOND))
    assert (asked.reason, asked.depth) == (ScanReason.COMMAND, Depth.FULL)
    assert world.answer_lightly(first, at=NOON + 2 * SECOND) == []
    world.answer(asked, at=NOON + 3 * SECOND)
    assert baseline_posture(world) == inputs.posture()


def test_scan_now_waits_for_the_full_scan_under_way_and_is_full_again() -> None:
    world = World()
    full = only_request(world.answer_lightly(world.host()[0], at=NOON + SECOND))
    assert world.command(at=NOON + 20 * SECOND) == []
    asked = only_request(world.answer(full, at=NOON + 30 * SECOND))
    assert baseline_posture(world) == inputs.posture()
    assert (asked.reason, asked.depth, asked.lane) == (ScanReason.COMMAND, Depth.FULL, Lane.NOW)
    assert asked.baseline is not None
    assert asked.baseline.posture == inputs.posture()


def test_scan_now_does_not_wait_for_ever() -> None:
    world = World()
    full = only_request(world.answer_lightly(world.host()[0]))
    world.command(at=NOON + SECOND)
    sent = world.wake(at=full.not_after + 90 * SECOND)
    assert [type(one) for one in sent] == [Snapshot, ScanRequested]


def test_a_slot_waits_for_a_deep_scan_so_that_it_repeats_what_that_one_found() -> None:
    world = World()
    first = only_request(world.host(interval=Interval.M5))
    due = next_slot(NOON, Interval.M5)
    full = only_request(world.answer_lightly(first, at=due - SECOND))
    assert world.wake(at=due) == []
    slot = only_request(world.answer(full, at=due + SECOND))
    assert (slot.reason, slot.requested_at, slot.depth) == (ScanReason.SLOT, due, Depth.LIGHT)
    assert slot.baseline is not None
    assert slot.baseline.posture == inputs.posture()


def test_a_full_scan_seen_after_a_newer_light_one_counts() -> None:
    world = watched(interval=Interval.M5)
    full = only_request(world.command(at=NOON + MINUTE))
    edited = only_request(world.host(version=2, interval=Interval.M5, trust=Trust.PRIVATE, at=NOON + 70 * SECOND))
    world.answer_lightly(edited, at=NOON + 71 * SECOND)
    world.answer(full, found=inputs.posture(accepted=("TLSv1.3",)), at=NOON + 80 * SECOND)
    assert baseline_posture(world) == inputs.posture(accepted=("TLSv1.3",))


def test_scan_now_during_a_posture_check_is_light_and_the_full_scan_follows_the_check() -> None:
    world = watched()
    check = only_request(world.wake(at=slot_start(HOST, Interval.H1, slot_at(HOST, Interval.H1, NOON) + 2)))
    assert check.depth is Depth.POSTURE
    assert only_request(world.command(at=world.at + SECOND)).depth is Depth.LIGHT
    full = only_request(world.hear("snapshots", seen_by_scanner(check)))
    assert (full.reason, full.depth) == (ScanReason.BASELINE, Depth.FULL)


def test_slots_of_an_hour_are_checks_and_once_a_day_a_full_scan() -> None:
    world = watched()
    asked = slots(world, until=NOON + timedelta(days=8))
    depths = [one.depth for one in asked]
    assert set(depths[1:]) == {Depth.POSTURE, Depth.FULL}
    fulls = [one.requested_at for one in asked if one.depth is Depth.FULL]
    assert len(fulls) in {7, 8}
    assert {later - earlier for earlier, later in pairwise(fulls)} == {timedelta(days=1)}
    assert timedelta(hours=12) < fulls[0] - NOON < timedelta(hours=37)


def test_slots_of_five_minutes_are_light_between_hourly_checks() -> None:
    world = watched(interval=Interval.M5)
    asked = slots(world, until=NOON + 6 * HOUR)
    deep = [one.requested_at for one in asked if one.depth is not Depth.LIGHT]
    assert len(asked) >= 71
    assert 5 <= len(deep) <= 6
    assert all(later - earlier == HOUR for earlier, later in pairwise(deep))


@pytest.mark.parametrize("interval", [Interval.H6, Interval.H24])
def test_every_slot_of_a_long_interval_looks_deeper(interval: Interval) -> None:
    asked = slots(watched(interval=interval), until=NOON + timedelta(days=4))
    assert all(one.depth is not Depth.LIGHT for one in asked[1:])
    assert Depth.FULL in {one.depth for one in asked}


def test_after_starttls_the_posture_is_checked_every_six_hours() -> None:
    world = World()
    full = only_request(world.answer_lightly(world.host(port=389)[0], protocol=Protocol.LDAP))
    world.answer(full, protocol=Protocol.LDAP)
    asked = slots(world, until=NOON + 11 * HOUR, protocol=Protocol.LDAP)
    assert [one.depth for one in asked].count(Depth.POSTURE) == 1


def test_hosts_added_together_are_measured_at_different_times_of_day() -> None:
    hours = set()
    for _ in range(20):
        host_id = ids.new_id()
        hours.add(slot_start(host_id, Interval.H24, 20_000).hour)
    assert len(hours) > 5


def test_a_check_that_came_to_nothing_is_not_repeated_within_the_hour() -> None:
    world = watched(interval=Interval.M5)
    asked = slots(world, until=NOON + 4 * HOUR, depth=Depth.LIGHT, posture=None, posture_origin=None)
    assert 2 <= [one.depth for one in asked].count(Depth.POSTURE) <= 4


def test_light_scans_renew_the_chain_and_keep_the_posture() -> None:
    world = watched()
    world.answer_lightly(only_request(world.wake()), chain=(inputs.OTHER_LEAF,))
    assert world.known is not None
    kept = world.known.baseline
    assert kept is not None
    assert (kept.chain_sha256, kept.posture) == ((inputs.OTHER_LEAF,), inputs.posture())
    assert kept.posture_origin is not None
    world.answer_lightly(only_request(world.wake()), outcome=Outcome.REFUSED, chain=())
    assert world.known.baseline == kept


def test_a_check_renews_the_origin_and_every_request_carries_it() -> None:
    world = watched()
    check = slots(world, until=world.at + 3 * HOUR)[-1]
    assert check.depth is Depth.POSTURE
    following = only_request(world.wake())
    assert following.baseline is not None
    origin = following.baseline.posture_origin
    assert origin is not None
    assert (origin.source, origin.measured_at, origin.checked_at) == (CHECKED, NOON + SECOND, check.requested_at)


def test_another_peer_has_another_posture_and_other_trust_the_same() -> None:
    world = watched()
    asked = only_request(world.host(version=2, trust=Trust.PRIVATE))
    assert asked.depth is Depth.LIGHT
    assert asked.baseline is not None
    assert asked.baseline.posture is not None
    asked = only_request(world.host(version=3, trust=Trust.PRIVATE, port=8443))
    assert asked.baseline is None
    assert only_request(world.answer_lightly(asked)).reason is ScanReason.BASELINE


@pytest.mark.parametrize(("port", "protocol"), [(443, Protocol.TLS), (25, Protocol.SMTP)])
def test_a_pool_that_was_taken_away_is_said_at_the_pace_of_the_scans(port: int, protocol: Protocol) -> None:
    world = World(pools_of=lambda _: frozenset({"dc1"}))
    world.answer_lightly(world.host(pool="dc1", port=port)[0], protocol=protocol)
    world.scheduler = Scheduler(pools_of=lambda _: frozenset())
    said = []
    while world.at < NOON + 12 * HOUR:
        said += [one.scan_id for one in world.wake() if isinstance(one, Snapshot)]
        assert world.decision.next_at is not None
        assert world.decision.next_at > world.at
    assert len(said) == len(set(said)) <= 100


def test_a_paused_host_is_not_measured() -> None:
    world = World()
    first = only_request(world.host())
    world.host(version=2, status=HostStatus.PAUSED)
    assert world.answer_lightly(first) == []


def test_a_row_of_before_is_read() -> None:
    old = KnownHost(host=inputs.host()).model_dump(mode="json", exclude={"deep"})
    old["baseline"] = {"scan_id": str(ids.new_id()), "requested_at": NOON.isoformat(), "chain_sha256": ["a1"]}
    known = KnownHost.model_validate(old)
    world = watched()
    world.known = known
    asked = only_request(world.wake())
    assert asked.depth is Depth.LIGHT
    assert only_request(world.answer_lightly(asked)).reason is ScanReason.BASELINE


def test_patience_outlasts_a_full_scan() -> None:
    timing = Timing()
    assert timing.grace > timedelta(seconds=HOST_SECONDS)
    assert timing.grace > timedelta(seconds=LIGHT_SECONDS + FULL_SECONDS)
