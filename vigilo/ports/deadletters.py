"""What happens to a record nobody can use: it is kept whole, and too many of them stop the service. Pure.

A dead letter carries key, value and every header as received. The headers added say where it came from and why:
`vigilo_dlq_reason` (kebab-case, stable), `vigilo_dlq_detail`, `vigilo_dlq_topic`, `vigilo_dlq_partition`,
`vigilo_dlq_offset`, `vigilo_dlq_service`, `vigilo_dlq_time` (RFC 3339, UTC). They come first, so that the newest ones
are found when a replayed record fails again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from vigilo.events.codec import ce_time
from vigilo.events.envelope import EncodedEvent, Record

DEAD_LETTERS_TOPIC = "dead-letters"
HEADER_PREFIX = "vigilo_dlq_"
_DETAIL_LIMIT = 1_000  # characters; a validation error may quote a whole document


class TooManyDeadLetters(Exception):
    """The service refuses so many of its inputs that something else than the inputs must be wrong."""


def dead_letter(record: Record, *, reason: str, detail: str, service: str, at: datetime) -> EncodedEvent:
    """The record to write to `dead-letters`: original key, value and headers, and why `service` refused it `at`."""
    added = {
        "reason": reason,
        "detail": detail[:_DETAIL_LIMIT],
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "service": service,
        "time": ce_time(at),
    }
    ours = tuple((HEADER_PREFIX + name, value.encode("utf-8", "replace")) for name, value in added.items())
    return EncodedEvent(topic=DEAD_LETTERS_TOPIC, key=record.key, value=record.value, headers=(*ours, *record.headers))


@dataclass(slots=True)
class StopLimit:
    """Counts refused inputs and says when to stop instead of draining a topic into dead-letters.

    Stops after `consecutive` refusals in a row, or when more than `ratio` of the last `window` inputs were refused
    (judged only once the window is full). One per service, not per partition.
    """

    consecutive: int = 100
    ratio: float = 0.5
    window: int = 500
    _in_a_row: int = 0
    _refused: int = 0
    _recent: deque[bool] = field(default_factory=deque)

    def accepted(self) -> None:
        """Counts one input that was used."""
        self._in_a_row = 0
        self._remember(refused=False)

    def refused(self) -> None:
        """Counts one input that goes to dead-letters. Raises TooManyDeadLetters when the limit is passed."""
        self._in_a_row += 1
        self._remember(refused=True)
        if self._in_a_row >= self.consecutive:
            raise TooManyDeadLetters(f"{self._in_a_row} inputs in a row were refused")
        if len(self._recent) == self.window and self._refused > self.ratio * self.window:
            raise TooManyDeadLetters(f"{self._refused} of the last {self.window} inputs were refused")

    def _remember(self, *, refused: bool) -> None:
        self._recent.append(refused)
        self._refused += refused
        if len(self._recent) > self.window:
            self._refused -= self._recent.popleft()
