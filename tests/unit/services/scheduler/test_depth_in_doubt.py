"""How deep scans look at who is throttled, contradicts itself, or brings nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.measuring import (
    AS_EVER,
    HOUR,
    LESSER,
    baseline_posture,
    seen_by_scanner,
    slots,
    watched,
)
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, only_request
from vigilo.events.hosts import Interval, Probing
from vigilo.events.scans import Depth, ScanReason, ScanRequested


def test_handshakes_only_means_light_whoever_asks() -> None:
    world = World()
    assert world.answer_lightly(world.host(probing=Probing.HANDSHAKE_ONLY)[0]) == []
    assert only_request(world.command(at=NOON + MINUTE)).depth is Depth.LIGHT
    world = watched()
    world.host(version=2, probing=Probing.HANDSHAKE_ONLY)
    assert all(one.depth is Depth.LIGHT for one in slots(world, until=NOON + timedelta(days=2)))


def test_a_throttled_scan_means_light_for_a_day_for_people_too() -> None:
    world = watched(interval=Interval.M5)
    full = only_request(world.command(at=NOON + MINUTE))
    world.hear("snapshots", seen_by_scanner(full, throttled=True), at=NOON + 2 * MINUTE)
    assert baseline_posture(world) == inputs.posture()
    light = slots(world, until=NOON + timedelta(hours=24))
    assert all(one.depth is Depth.LIGHT for one in light)
    person = only_request(world.command(at=NOON + timedelta(hours=24)))
    assert person.depth is Depth.LIGHT
    world.hear("snapshots", seen_by_scanner(person))
    later = world.command(at=NOON + timedelta(hours=24, minutes=2))
    assert {one.depth for one in later if isinstance(one, ScanRequested)} >= {Depth.FULL}


def test_a_host_throttled_at_first_gets_its_full_scan_a_day_later() -> None:
    world = World()
    full = only_request(world.answer_lightly(world.host(interval=Interval.H6)[0]))
    world.answer(full, at=NOON, throttled=True, posture=inputs.posture(throttled=True))
    assert baseline_posture(world) is None
    for _ in range(4):
        assert world.answer_lightly(only_request(world.wake())) == []
    assert world.at < NOON + timedelta(hours=24)
    again = only_request(world.answer_lightly(only_request(world.wake())))
    assert (again.reason, again.depth) == (ScanReason.BASELINE, Depth.FULL)


def test_a_believable_full_scan_clears_the_throttle() -> None:
    world = watched()
    assert world.known is not None
    world.known = world.known.model_copy(
        update={"deep": world.known.deep.model_copy(update={"throttled_until": NOON + 24 * HOUR})}
    )
    asked = only_request(world.command(at=NOON + MINUTE))
    world.answer(asked, tls_version="TLSv1.3")
    assert only_request(world.command(at=NOON + 2 * MINUTE)).depth is Depth.FULL


def test_full_scans_that_bring_nothing_are_asked_for_ever_more_seldom() -> None:
    world = World()
    world.host(interval=Interval.M5)
    sent, fulls = world.sent, []
    while world.at < NOON + timedelta(days=3):
        for one in sent:
            if isinstance(one, ScanRequested) and one.depth is Depth.FULL:
                fulls.append(one.requested_at)
        asked = [one for one in sent if isinstance(one, ScanRequested)]
        sent = world.answer_lightly(asked[0], at=world.at + SECOND) if asked else world.wake()
    gaps = [later - earlier for earlier, later in pairwise(fulls)]
    assert all(gap >= HOUR for gap in gaps)
    assert gaps == sorted(gaps)
    assert len(fulls) <= 8


def test_a_full_scan_nobody_performed_is_repeated_once_without_waiting_an_hour() -> None:
    world = World()
    full = only_request(world.answer_lightly(world.host()[0]))
    world.wake(at=full.not_after + 90 * SECOND)
    retry = only_request(world.wake())
    assert (retry.reason, retry.depth) == (ScanReason.RETRY, Depth.LIGHT)
    again = only_request(world.answer_lightly(retry))
    assert (again.reason, again.depth) == (ScanReason.BASELINE, Depth.FULL)
    world.wake(at=again.not_after + 90 * SECOND)
    assert world.answer_lightly(only_request(world.wake())) == []


def test_a_handshake_that_contradicts_the_posture_asks_for_a_full_scan_once_an_hour() -> None:
    world = watched(interval=Interval.M5)
    asked, fulls = [only_request(world.wake())], 0
    while world.at < NOON + 3 * HOUR:
        one = asked[0]
        fulls += one.depth is Depth.FULL
        # Two servers behind one address: enumerated is the better one, met the lesser.
        seen = seen_by_scanner(one, **(AS_EVER if one.depth is Depth.FULL else LESSER))
        sent = world.hear("snapshots", seen, at=world.at + SECOND)
        asked = [only_request(sent or world.wake())]
    assert 2 <= fulls <= 4


def test_a_contradiction_within_one_full_scan_proves_nothing_later() -> None:
    world = watched(interval=Interval.M5)
    full = only_request(world.command(at=NOON + MINUTE))
    world.hear("snapshots", seen_by_scanner(full, **LESSER), at=world.at)
    for _ in range(40):
        one = only_request(world.wake())
        assert world.hear("snapshots", seen_by_scanner(one, **LESSER)) == []


def test_an_enumeration_without_anything_accepted_replaces_nothing() -> None:
    world = watched()
    full = only_request(world.command(at=NOON + MINUTE))
    world.answer(full, posture=inputs.posture(accepted=()))
    assert baseline_posture(world) == inputs.posture()
