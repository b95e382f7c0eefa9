"""When deliveries are tried again."""

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.schedule import RETRY_AFTER_MAX, WEBHOOK_DELAYS, delay_after

ONE = UUID("00000000-0000-0000-0000-000000000001")


def test_delays_follow_the_published_schedule() -> None:
    planned = [delay_after(number, delivery_id=UUID(int=0)) for number in range(1, len(WEBHOOK_DELAYS) + 1)]
    for delay, expected in zip(planned, WEBHOOK_DELAYS, strict=True):
        assert delay is not None
        assert expected <= delay <= expected * 1.1


def test_the_last_attempt_is_the_last() -> None:
    assert delay_after(len(WEBHOOK_DELAYS) + 1, delivery_id=ONE) is None


@given(st.integers(1, len(WEBHOOK_DELAYS)), st.uuids())
def test_jitter_is_derived_and_small(number: int, delivery_id: UUID) -> None:
    first = delay_after(number, delivery_id=delivery_id)
    assert first == delay_after(number, delivery_id=delivery_id)
    assert first is not None
    assert WEBHOOK_DELAYS[number - 1] <= first < WEBHOOK_DELAYS[number - 1] * 1.1 + timedelta(microseconds=1)


def test_a_thousand_deliveries_do_not_return_at_once() -> None:
    delays = {delay_after(3, delivery_id=uuid5(ONE, str(number))) for number in range(1_000)}
    assert len(delays) > 300


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(timedelta(seconds=1), None), (timedelta(hours=1), timedelta(hours=1)), (timedelta(days=90), RETRY_AFTER_MAX)],
)
def test_retry_after_only_lengthens_the_wait(asked: timedelta, expected: timedelta | None) -> None:
    planned = delay_after(1, delivery_id=ONE)
    assert delay_after(1, delivery_id=ONE, retry_after=asked) == (expected or planned)
