"""Slots come from the clock and the host's phase; nothing is remembered."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.planning import Timing, not_after, phase, requested_at, slot_at, slot_start
from vigilo.events.hosts import Interval
from vigilo.events.scans import Lane

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
intervals = st.sampled_from(Interval)


@given(st.uuids(), intervals, instants)
def test_an_instant_lies_in_the_slot_that_is_found_for_it(host_id: UUID, interval: Interval, at: datetime) -> None:
    slot = slot_at(host_id, interval, at)
    assert slot_start(host_id, interval, slot) <= at < slot_start(host_id, interval, slot + 1)
    assert slot_at(host_id, interval, slot_start(host_id, interval, slot)) == slot


@given(st.uuids(), intervals)
def test_the_phase_lies_within_the_interval(host_id: UUID, interval: Interval) -> None:
    assert timedelta(0) <= phase(host_id, interval) < interval.length


def test_hosts_are_spread_evenly_over_the_interval() -> None:
    hosts = [UUID(int=number) for number in range(6_000)]
    tenths = Counter(phase(one, Interval.H1) // timedelta(minutes=6) for one in hosts)
    assert set(tenths) == set(range(10))
    assert all(480 <= count <= 720 for count in tenths.values())


def test_the_fast_lane_is_valid_for_a_minute_the_slow_one_for_a_quarter_of_the_interval_at_most_15_minutes() -> None:
    def minutes(lane: Lane, interval: Interval) -> float:
        return (not_after(lane, interval, at=NOON, timing=Timing()) - NOON) / timedelta(minutes=1)

    assert minutes(Lane.NOW, Interval.H24) == 1
    assert minutes(Lane.SLOW, Interval.M5) == 1.25
    assert minutes(Lane.SLOW, Interval.H1) == 15
    assert minutes(Lane.SLOW, Interval.H24) == 15


@given(instants, st.none() | instants, instants)
def test_a_scan_is_stamped_after_the_one_before_and_never_ahead_of_the_clock_without_need(
    nominal: datetime, last: datetime | None, at: datetime
) -> None:
    stamp = requested_at(nominal, last=last, at=at)
    assert last is None or stamp > last
    assert stamp <= at or (last is not None and stamp - last == timedelta(milliseconds=1))
