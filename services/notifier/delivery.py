"""What an answer means. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notifier.schedule import WEBHOOK_DELAYS, delay_after
from vigilo.events.deliveries import DeliveryStatus

_GONE = 410
_SERVER_ERROR = 500
_SUCCESS = range(200, 300)


class Answer(StrEnum):
    """How one attempt ended. `refused` = no request left; `lost` = it left and no answer came.

    `gone`: the receiver will never take any message of this channel. `invalid`: it will never take this one; the next
    may fare better.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    GONE = "gone"
    INVALID = "invalid"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and its end. `error_class` is a word of ours, never text from the receiver."""

    answer: Answer
    http_status: int | None = None
    error_class: str | None = None
    retry_after: timedelta | None = None
    duration_ms: int = 0


# Nothing can be sent with what the channel has.
MISCONFIGURED: Final = Attempt(answer=Answer.REFUSED, error_class="misconfigured")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ledger records after an attempt."""

    status: DeliveryStatus
    next_attempt_at: datetime | None
    maybe_received: bool = True


def answer_of(http_status: int, _said: bytes = b"") -> Answer:
    """Only 2xx is success; a redirect is never followed and counts as a failure (Standard Webhooks)."""
    if http_status in _SUCCESS:
        return Answer.ACCEPTED
    return Answer.GONE if http_status == _GONE else Answer.REJECTED


def judge(
    attempt: Attempt,
    *,
    number: int,
    delivery_id: UUID,
    maybe_received: bool,
    at: datetime,
    delays: Sequence[timedelta] = WEBHOOK_DELAYS,
) -> Verdict:
    """The delivery's state after attempt `number` (counted from 1); `maybe_received` tells of the attempts before.

    Lost requests and 5xx answers leave it open whether the receiver took the message; other refusals are definite.
    """
    if attempt.answer is Answer.ACCEPTED:
        return Verdict(DeliveryStatus.DELIVERED, None)
    perhaps = maybe_received or attempt.answer is Answer.LOST or (attempt.http_status or 0) >= _SERVER_ERROR
    if attempt.answer in (Answer.GONE, Answer.INVALID):
        return Verdict(DeliveryStatus.FAILED, None, maybe_received=perhaps)
    delay = delay_after(number, delivery_id=delivery_id, retry_after=attempt.retry_after, delays=delays)
    if delay is None:
        return Verdict(DeliveryStatus.FAILED, None, maybe_received=perhaps)
    return Verdict(DeliveryStatus.RETRYING, at + delay, maybe_received=perhaps)


def retry_after(header: str | None, *, at: datetime) -> timedelta | None:
    """The Retry-After header (RFC 9110 section 10.2.3), seconds or an HTTP date; None when absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(moment - at, timedelta())
