"""What an answer means."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notifier.delivery import Answer, Attempt, Verdict, answer_of, judge, retry_after
from services.notifier.schedule import WEBHOOK_DELAYS
from vigilo.events.deliveries import DeliveryStatus

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DELIVERY = UUID(int=9)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.ACCEPTED),
        (204, Answer.ACCEPTED),
        (299, Answer.ACCEPTED),
        (301, Answer.REJECTED),
        (400, Answer.REJECTED),
        (410, Answer.GONE),
        (429, Answer.REJECTED),
        (500, Answer.REJECTED),
    ],
)
def test_only_2xx_is_success(status: int, answer: Answer) -> None:
    assert answer_of(status) is answer


def verdict(attempt: Attempt, number: int = 1, *, maybe_received: bool = False) -> Verdict:
    return judge(attempt, number=number, delivery_id=DELIVERY, maybe_received=maybe_received, at=NOW)


def test_an_accepted_delivery_is_done() -> None:
    done = verdict(Attempt(Answer.ACCEPTED, 200))
    assert (done.status, done.next_attempt_at, done.maybe_received) == (DeliveryStatus.DELIVERED, None, True)


@pytest.mark.parametrize(
    ("attempt", "perhaps"),
    [
        (Attempt(Answer.REFUSED, error_class="connect"), False),
        (Attempt(Answer.REJECTED, 404), False),
        (Attempt(Answer.REJECTED, 503), True),
        (Attempt(Answer.LOST, error_class="timeout"), True),
    ],
)
def test_a_failed_attempt_is_retried_and_remembers_whether_it_may_have_arrived(attempt: Attempt, perhaps: bool) -> None:
    after = verdict(attempt)
    assert after.status is DeliveryStatus.RETRYING
    assert after.next_attempt_at is not None
    assert after.next_attempt_at >= NOW + WEBHOOK_DELAYS[0]
    assert after.maybe_received is perhaps


def test_what_may_have_arrived_once_stays_so() -> None:
    assert verdict(Attempt(Answer.REFUSED), maybe_received=True).maybe_received


@pytest.mark.parametrize("answer", [Answer.GONE, Answer.INVALID])
def test_a_definite_no_is_final(answer: Answer) -> None:
    after = verdict(Attempt(answer, 410))
    assert (after.status, after.next_attempt_at, after.maybe_received) == (DeliveryStatus.FAILED, None, False)


def test_after_the_last_attempt_it_has_failed() -> None:
    assert verdict(Attempt(Answer.LOST), number=len(WEBHOOK_DELAYS) + 1).status is DeliveryStatus.FAILED


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("Mon, 23 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta()),
        ("soon", None),
        ("-5", None),
        ("99999999999999999999", timedelta(seconds=10**8)),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, expected: timedelta | None) -> None:
    assert retry_after(header, at=NOW) == expected
