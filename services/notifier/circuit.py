"""Whether a channel's receiver is there: after some failures in a row only one delivery at a time tries. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifier.delivery import Answer, Attempt
from services.notifier.schedule import PATIENT_DELAYS, RETRY_AFTER_MAX

CIRCUIT_OPEN = "circuit-open"
_TOO_MANY = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Circuit:
    """Closed while `opened_at` is None. Open, one probe leaves at `probe_at`, the next after its answer.

    `failures` in a row say that the receiver is down; `failing_since` is the first failure of any sort since the last
    success.
    """

    failures: int = 0
    failing_since: datetime | None = None
    opened_at: datetime | None = None
    probes: int = 0
    probe_at: datetime | None = None

    @property
    def open(self) -> bool:
        """True if deliveries wait for a probe to succeed."""
        return self.opened_at is not None

    def after(self, attempt: Attempt, *, probe: bool, at: datetime, opens_after: int) -> Circuit:
        """The circuit after an attempt; `probe` if the circuit was open when it left."""
        if attempt.answer is Answer.ACCEPTED:
            return Circuit()
        since = self.failing_since or at
        if not says_down(attempt):
            return Circuit(failing_since=since)  # somebody answers: the next delivery may fare better
        failing = replace(self, failures=self.failures + 1, failing_since=since)
        if self.open:
            return _probed(failing, attempt, at) if probe else failing
        if failing.failures < opens_after:
            return failing
        return _probed(replace(failing, opened_at=at, probes=0), attempt, at)


def says_down(attempt: Attempt) -> bool:
    """True for answers, and silences, that any other message would get as well."""
    if attempt.answer in (Answer.LOST, Answer.REFUSED):
        return True
    status = attempt.http_status or 0
    return attempt.answer is Answer.REJECTED and (status == _TOO_MANY or status >= _SERVER_ERROR)


def _probed(circuit: Circuit, attempt: Attempt, at: datetime) -> Circuit:
    # The patient schedule for every kind: ten minutes at most, however seldom one message would be tried again.
    pause = PATIENT_DELAYS[min(circuit.probes, len(PATIENT_DELAYS) - 1)]
    asked = min(attempt.retry_after or timedelta(), RETRY_AFTER_MAX)
    return replace(circuit, probes=circuit.probes + 1, probe_at=at + max(pause, asked))
