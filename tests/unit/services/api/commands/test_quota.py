"""What a plan affords."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.commands import quota
from services.api.problems import Problem
from vigilo.events.hosts import Host, HostStatus, Interval

AT = datetime(2026, 11, 23, tzinfo=UTC)


def host(interval: Interval = Interval.H1, status: HostStatus = HostStatus.ACTIVE) -> Host:
    return Host(
        host_id=UUID(int=1),
        workspace_id=UUID(int=2),
        version=1,
        status=status,
        hostname="a.example",
        port=443,
        interval=interval,
        created_at=AT,
        updated_at=AT,
    )


@pytest.mark.parametrize(("interval", "scans"), [("5m", 288), ("15m", 96), ("1h", 24), ("6h", 4), ("24h", 1)])
def test_a_host_costs_its_scans_of_a_day(interval: str, scans: int) -> None:
    assert quota.cost(host(Interval(interval))) == scans


@pytest.mark.parametrize("status", [HostStatus.PAUSED, HostStatus.DELETED])
def test_what_is_not_scanned_costs_nothing(status: HostStatus) -> None:
    assert quota.cost(host(Interval.M5, status)) == 0


def test_the_last_scan_of_the_plan_may_be_spent_and_no_more() -> None:
    quota.afford(None, host(), limit=100, others=76)
    with pytest.raises(Problem) as refused:
        quota.afford(None, host(), limit=100, others=77)
    assert refused.value.status == 409
    assert refused.value.members == {
        "cost": 24,
        "limit": 100,
        "used": 77,
        "remaining": 23,
        "shortest_interval_that_fits": "6h",
        "intervals_that_fit": ["6h", "24h"],
    }
    for told in ("every 1h", "costs 24 scans", "of the 100", "use 77", "23 are left", "fits is 6h"):
        assert told in refused.value.detail


def test_a_full_plan_says_what_would_make_room() -> None:
    with pytest.raises(Problem, match="No interval fits: pause, slow down or delete") as refused:
        quota.afford(None, host(Interval.H24), limit=10, others=10)
    assert refused.value.members["shortest_interval_that_fits"] is None


def test_what_costs_no_more_is_never_refused() -> None:
    quota.afford(host(Interval.M5), host(Interval.M15), limit=0, others=5000)
    quota.afford(host(), host(), limit=0, others=5000)
    quota.afford(host(), host(status=HostStatus.PAUSED), limit=0, others=5000)


@given(st.sampled_from(Interval), st.integers(0, 2000), st.integers(0, 2000))
def test_the_interval_it_names_is_affordable_and_every_shorter_one_is_not(
    asked: Interval, limit: int, others: int
) -> None:
    try:
        quota.afford(None, host(asked), limit=limit, others=others)
        assert others + quota.cost_of(asked) <= limit
    except Problem as refused:
        fits = refused.members["shortest_interval_that_fits"]
        for interval in Interval:
            affordable = fits is not None and interval.length >= Interval(fits).length
            assert affordable == (others + quota.cost_of(interval) <= limit)
