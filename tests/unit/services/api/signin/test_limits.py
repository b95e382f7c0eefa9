from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.signin.limits import Limit, account_limit, address_limit, network_of, wait_of

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIMIT = Limit("b", 3, timedelta(minutes=15))


def test_room_is_there_until_the_limit_and_again_when_the_oldest_leaves_the_window() -> None:
    tried = [AT - timedelta(minutes=14), AT - timedelta(minutes=5), AT]
    assert wait_of(tried[1:], LIMIT, at=AT) is None
    assert wait_of(tried, LIMIT, at=AT) == 60
    assert wait_of(tried, LIMIT, at=AT + timedelta(seconds=59.5)) == 1
    assert wait_of(tried, LIMIT, at=AT + timedelta(seconds=60)) is None


@given(st.lists(st.integers(0, 2000), max_size=12), st.integers(0, 2000))
def test_after_the_wait_there_is_room_and_before_it_none(seconds: list[int], now: int) -> None:
    at = AT + timedelta(seconds=now)
    tried = sorted(AT + timedelta(seconds=second) for second in seconds if second <= now)
    wait = wait_of(tried, LIMIT, at=at)
    if wait is not None:
        assert wait_of(tried, LIMIT, at=at + timedelta(seconds=wait)) is None
        assert wait_of(tried, LIMIT, at=at + timedelta(seconds=wait - 1)) is not None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_ipv6_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_buckets_hold_no_address_and_do_not_meet() -> None:
    assert account_limit("Ada@example.org ").bucket == account_limit("ada@example.org").bucket
    assert account_limit("192.0.2.1").bucket != address_limit("192.0.2.1").bucket
    assert "ada" not in account_limit("ada@example.org").bucket
