"""A season of one channel, as hypothesis made it up: transitions, outages, crashes, slow requests, redeliveries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from hypothesis import strategies as st

from services.notifier.channels.traits import TRAITS
from services.notifier.delivery import Answer, Attempt
from services.notifier.planning import Limits
from services.notifier.records import Row
from tests.fakes.model_ledger import Claim, ModelLedger
from vigilo.events.rules import ChannelKind

START: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALERTS: Final = 4
_LONGEST_DRAIN: Final = 5000

# What a receiver does to a request: (it took it, what the sender sees of that).
MOODS: Final = {
    "up": (True, Attempt(Answer.ACCEPTED, 202)),
    "refuses": (False, Attempt(Answer.REFUSED, error_class="connect")),
    "500": (False, Attempt(Answer.REJECTED, 500)),
    "500-but-took-it": (True, Attempt(Answer.REJECTED, 502)),
    "lost": (False, Attempt(Answer.LOST, error_class="timeout")),
    "lost-but-took-it": (True, Attempt(Answer.LOST, error_class="timeout")),
    "429": (False, Attempt(Answer.REJECTED, 429, retry_after=timedelta(seconds=40))),
}
Operation = tuple[str, object]
OPERATIONS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("transition"), st.integers(0, ALERTS - 1)),
        st.tuples(st.just("pass"), st.sampled_from([1, 3, 12, 28, 70, 700])),
        st.tuples(st.just("mood"), st.sampled_from([*MOODS, "up"])),
        st.tuples(st.just("work"), st.sampled_from(["whole", "dies-before", "dies-after", "slow", "slow-dies"])),
        st.tuples(st.just("redeliver"), st.integers(0, 30)),
    ),
    min_size=5,
    max_size=60,
)
_LIFE: Final = ("opened", "acknowledged", "reminder", "closed")


class SomeLedger(Protocol):
    """The ledger of one channel, in memory or in PostgreSQL."""

    def enter(self, alert_id: UUID, n: int, kind: str, *, at: datetime, cause: str = "scan") -> None:
        """A transition."""

    def redeliver(self, delivery_id: UUID, *, at: datetime) -> None:
        """A person wants a finished delivery again."""

    def dispatch(self, *, at: datetime) -> list[Claim]:
        """Plans and claims."""

    def record(self, claim: Claim, attempt: Attempt, *, at: datetime) -> None:
        """Writes down an attempt's end."""

    def next_due(self) -> datetime | None:
        """When it is worth to dispatch again; None when nothing waits."""

    def all_rows(self) -> Sequence[Row]:
        """Every delivery."""


@dataclass
class _Alert:
    alert_id: UUID
    cause: str
    n: int = 0
    state: str = "closed"


@dataclass
class Season:
    """Plays operations against the ledger; `took` is called for every delivery that a request brought."""

    kind: ChannelKind
    took: Callable[[Row], None]
    redelivers: bool = True
    rulebook: bool = True
    limits: Limits = field(default_factory=Limits)
    now: datetime = START
    mood: str = "up"
    sent: list[str] = field(default_factory=list)

    ledger: SomeLedger | None = None

    def __post_init__(self) -> None:
        self._ledger: SomeLedger = self.ledger or ModelLedger(self.kind, START, self.limits)
        self.alerts: list[_Alert] = []
        self._current: dict[int, _Alert] = {}
        self._slow: list[tuple[datetime, Claim, bool]] = []

    def play(self, operations: list[Operation]) -> None:
        """All operations, and then peace until nothing waits."""
        for name, value in operations:
            getattr(self, f"_{name}")(value)
        self.mood = "up"
        for _ in range(_LONGEST_DRAIN):
            self._work("whole")
            due = self._ledger.next_due()
            if due is None and not self._slow:
                return
            self._until(max(due or self.now, self.now + timedelta(milliseconds=200)))
        left = [row for row in self._ledger.all_rows() if row.unfinished]
        raise AssertionError(f"never at rest: {left}")

    def rows(self) -> Sequence[Row]:
        """Every delivery of the ledger."""
        return self._ledger.all_rows()

    def _transition(self, value: object) -> None:
        index = int(str(value))
        alert = self._current.get(index)
        if alert is None or alert.state == "closed":
            cause = "rulebook" if self.rulebook and len(self.alerts) % 5 == 4 else "scan"
            alert = self._current[index] = _Alert(UUID(int=100 + len(self.alerts)), cause)
            self.alerts.append(alert)
        alert.n += 1
        # opened, then by turns: closed at once, or acknowledged or reminded of first.
        step = "opened" if alert.n == 1 else _LIFE[min(alert.n - 2 + 1 + (alert.alert_id.int % 3), 3)]
        alert.state = "closed" if step == "closed" else "open"
        self._ledger.enter(alert.alert_id, alert.n, step, at=self.now, cause=alert.cause)

    def _pass(self, value: object) -> None:
        self._until(self.now + timedelta(seconds=int(str(value))))

    def _until(self, moment: datetime) -> None:
        # A request under way ends at the latest when its timeout does, whatever else happens meanwhile.
        for ends, claim, dies in sorted(self._slow, key=lambda one: one[0]):
            if ends <= moment:
                self.now = max(self.now, ends)
                self._slow.remove((ends, claim, dies))
                self._request(claim, dies_after=dies)
        self.now = max(self.now, moment)

    def _mood(self, value: object) -> None:
        self.mood = str(value)

    def _redeliver(self, value: object) -> None:
        rows = [row for row in self._ledger.all_rows() if row.alert_id is not None]
        if self.redelivers and rows:
            self._ledger.redeliver(rows[int(str(value)) % len(rows)].delivery_id, at=self.now)

    def _work(self, value: object) -> None:
        for claim in self._ledger.dispatch(at=self.now):
            match value:
                case "dies-before":
                    continue
                case "slow" | "slow-dies":
                    self._slow.append((self.now + TRAITS[self.kind].longest, claim, value == "slow-dies"))
                case _:
                    self._request(claim, dies_after=value == "dies-after")

    def _request(self, claim: Claim, *, dies_after: bool) -> None:
        took, attempt = MOODS[self.mood]
        if took:
            for row in claim.members:
                self.took(row)
        if not dies_after:
            self._ledger.record(claim, attempt, at=self.now)
