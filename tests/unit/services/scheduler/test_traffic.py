"""What a process knows of pools: doubt that ends, and a fast lane that few rechecks take."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.scheduler.traffic import RECHECKS_PER_SECOND, Traffic
from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.world import MINUTE, SECOND
from vigilo.events import ids
from vigilo.events.scans import Lane, Outcome, Snapshot


def seen(*, pool: str = "public", **changes: Any) -> Snapshot:
    target = inputs.host(pool=pool).target()
    return inputs.snapshot(scan_id=ids.new_id(), target=target, requested_at=NOON, **changes)


def lanes(traffic: Traffic, count: int, *, pool: str = "public", after: timedelta = timedelta(0)) -> int:
    """How many of so many rechecks at that instant go fast."""
    return [traffic.recheck_lane(pool, at=NOON + after) for _ in range(count)].count(Lane.NOW)


def test_five_rechecks_a_second_of_each_pool_go_fast() -> None:
    traffic = Traffic()
    assert lanes(traffic, 20) == RECHECKS_PER_SECOND
    assert lanes(traffic, 20, pool="berlin") == RECHECKS_PER_SECOND
    assert lanes(traffic, 20, after=SECOND) == RECHECKS_PER_SECOND
    assert lanes(traffic, 20, after=timedelta(seconds=1.41)) == 2
    assert lanes(traffic, 20, after=timedelta(hours=1)) == RECHECKS_PER_SECOND


def test_a_clock_that_went_back_gives_nothing_away() -> None:
    traffic = Traffic()
    lanes(traffic, 20, after=MINUTE)
    assert lanes(traffic, 20) == 0
    assert lanes(traffic, 20, after=MINUTE) == 0


def test_a_pool_is_in_doubt_as_long_as_its_scanners_say_so() -> None:
    traffic = Traffic()
    assert not traffic.is_suspect("public", at=NOON)
    traffic.hear(seen(outcome=Outcome.REFUSED, pool_suspect=True), at=NOON)
    assert traffic.is_suspect("public", at=NOON + MINUTE)
    assert not traffic.is_suspect("berlin", at=NOON)
    traffic.hear(seen(outcome=Outcome.NOT_PERFORMED), at=NOON)
    assert traffic.is_suspect("public", at=NOON + MINUTE), "who looked at nothing knows nothing of the network"
    traffic.hear(seen(), at=NOON + MINUTE)
    assert not traffic.is_suspect("public", at=NOON + MINUTE)


def test_doubt_that_nobody_repeats_ends() -> None:
    traffic = Traffic()
    traffic.hear(seen(pool_suspect=True), at=NOON)
    assert traffic.is_suspect("public", at=NOON + 4 * MINUTE)
    assert not traffic.is_suspect("public", at=NOON + 5 * MINUTE)
