"""Buckets and circuits: how fast a channel is sent to, and whether at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.bucket import Bucket
from services.notifier.circuit import Circuit, says_down
from services.notifier.delivery import Answer, Attempt
from services.notifier.schedule import PATIENT_DELAYS

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DOWN = Attempt(Answer.LOST, error_class="timeout")
OK = Attempt(Answer.ACCEPTED, 202)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200))
def test_no_minute_sees_more_than_the_rate_and_one_burst(pauses_ms: list[int]) -> None:
    bucket, at, left = Bucket(5, NOW, per_minute=60, burst=5), NOW, []
    for pause in pauses_ms:
        at += timedelta(milliseconds=pause)
        if bucket.ready(at):
            bucket = bucket.less_one(at)
            left.append(at)
    for begin in left:
        assert sum(1 for one in left if begin <= one < begin + timedelta(minutes=1)) <= 60 + 5


def test_an_empty_bucket_says_when_it_is_ready() -> None:
    bucket = Bucket(0, NOW, per_minute=30, burst=10)
    assert not bucket.ready(NOW)
    assert bucket.ready_at() == NOW + timedelta(seconds=2)
    assert bucket.ready(bucket.ready_at())


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    bucket = Bucket(2, NOW, per_minute=60, burst=5)
    assert bucket.filled(NOW - timedelta(hours=1)) == bucket


def test_a_receiver_that_asks_for_a_pause_gets_it() -> None:
    until = NOW + timedelta(seconds=40)
    bucket = Bucket(5, NOW, per_minute=60, burst=5).stopped(until)
    assert not bucket.ready(until - timedelta(seconds=1))
    assert bucket.ready(until)
    assert not bucket.less_one(until).ready(until)


def failed(circuit: Circuit, times: int, *, probe: bool = False, at: datetime = NOW) -> Circuit:
    for _ in range(times):
        circuit = circuit.after(DOWN, probe=probe, at=at, opens_after=5)
    return circuit


def test_the_fifth_failure_in_a_row_opens_the_circuit() -> None:
    assert not failed(Circuit(), 4).open
    opened = failed(Circuit(), 5)
    assert (opened.opened_at, opened.failing_since, opened.probe_at) == (NOW, NOW, NOW + PATIENT_DELAYS[0])


def test_a_success_between_failures_counts_from_the_start() -> None:
    assert not failed(failed(Circuit(), 4).after(OK, probe=False, at=NOW, opens_after=5), 4).open


def test_probes_follow_the_schedule_and_late_answers_do_not_hurry_or_delay_them() -> None:
    circuit = failed(Circuit(), 5)
    waits = []
    for _ in range(12):
        at = circuit.probe_at or NOW
        assert failed(circuit, 3, at=at).probe_at == circuit.probe_at
        circuit = failed(circuit, 1, probe=True, at=at)
        waits.append((circuit.probe_at or at) - at)
    assert waits == list(PATIENT_DELAYS[1:13])
    assert circuit.after(OK, probe=True, at=NOW, opens_after=5) == Circuit()


@pytest.mark.parametrize(
    ("attempt", "down"),
    [
        (Attempt(Answer.REFUSED), True),
        (Attempt(Answer.LOST), True),
        (Attempt(Answer.REJECTED, 503), True),
        (Attempt(Answer.REJECTED, 429), True),
        (Attempt(Answer.REJECTED, 404), False),
        (Attempt(Answer.REJECTED, 301), False),
        (Attempt(Answer.INVALID, 400), False),
        (Attempt(Answer.GONE, 410), False),
    ],
)
def test_only_what_any_message_would_get_speaks_of_the_receiver(attempt: Attempt, down: bool) -> None:
    assert says_down(attempt) is down
    after = failed(Circuit(), 7).after(attempt, probe=True, at=NOW, opens_after=5)
    assert after.open is down
    assert after.failing_since == NOW, "it has not worked since"
