"""How deep each scan looks, and what is remembered of the posture."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.scanner.depths import FULL_SECONDS
from services.scanner.performing import HOST_SECONDS
from services.scanner.scan import LIGHT_SECONDS
from services.scheduler.decide import Scheduler
from services.scheduler.planning import Timing, slot_at, slot_start
from services.scheduler.state import KnownHost
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, next_slot, only_request
from vigilo.events import ids
from vigilo.events.envelope import Event
from vigilo.events.hosts import HostStatus, Interval, Probing, Protocol, Trust
from vigilo.events.posture import Posture, PostureOrigin, PostureSource
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot

HOUR = timedelta(hours=1)
CHECKED, CARRIED = PostureSource.CHECKED, PostureSource.CARRIED
# What a light scan of inputs.posture() sees; and of a server that has lost TLS 1.3.
AS_EVER = {"tls_version": "TLSv1.3", "cipher_suite": "TLS_AES_128_GCM_SHA256", "address": "192.0.2.1"}
LESSER = {**AS_EVER, "tls_version": "TLSv1.2", "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}


def watched(**host: Any) -> World:
    """A host whose posture has been measured, at NOON and a second."""
    world = World()
    first = only_request(world.host(**host))
    world.answer(only_request(world.answer_lightly(first, at=NOON + SECOND)), at=NOON + 2 * SECOND)
    return world


def slots(world: World, *, until: datetime, **answer: Any) -> list[ScanRequested]:
    """The slots asked for until then, each answered as a scanner would: checked, measured or carried."""
    asked = []
    while (due := world.decision.next_at) is not None and due <= until:
        asked.append(only_request(world.wake(at=due)))
        world.hear("snapshots", seen_by_scanner(asked[-1], **answer), at=due + SECOND)
    return asked


def seen_by_scanner(asked: ScanRequested, **changes: Any) -> Event:
    fields: dict[str, Any] = {"reason": asked.reason, "depth": asked.depth, **AS_EVER}
    if asked.depth is Depth.FULL:
        fields |= inputs.measured(asked)
    elif asked.baseline is not None and asked.baseline.posture is not None:
        source = CHECKED if asked.depth is Depth.POSTURE else CARRIED
        fields |= {"posture": asked.baseline.posture, "posture_origin": repeated(asked, source)}
    target, at = asked.target, asked.requested_at
    return inputs.snapshot(scan_id=asked.scan_id, target=target, requested_at=at, **{**fields, **changes})


def repeated(asked: ScanRequested, source: PostureSource) -> PostureOrigin:
    assert asked.baseline is not None
    known = asked.baseline.posture_origin
    assert known is not None
    checked_at = asked.requested_at if source is CHECKED else known.checked_at
    return known.model_copy(update={"source": source, "checked_at": checked_at})


def baseline_posture(world: World) -> Posture | None:
    assert world.known is not None
    return None if world.known.baseline is None else world.known.baseline.posture


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
