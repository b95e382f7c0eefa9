"""The notifier's ledger in memory: its real decisions, over dictionaries instead of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import TRAITS
from services.notifier.circuit import CIRCUIT_OPEN, Circuit
from services.notifier.delivery import Attempt
from services.notifier.grouping import Unit
from services.notifier.planning import Limits, claim_time, plan
from services.notifier.records import DIGEST, WAITING, ChannelState, Row
from services.notifier.records import Claimed as LedgerClaimed
from services.notifier.settling import Settled, settle
from services.notifier.tellings import TestTelling
from vigilo.events import ids
from vigilo.events.deliveries import DeliveryStatus
from vigilo.events.rules import ChannelKind

WORKSPACE, CHANNEL = UUID(int=1), UUID(int=2)


@dataclass(frozen=True)
class Claim:
    """What a worker got: the rows its request tells of."""

    ledger: LedgerClaimed
    members: tuple[Row, ...]


@dataclass
class ModelLedger:
    """One channel and its deliveries."""

    kind: ChannelKind
    start: datetime
    limits: Limits = field(default_factory=Limits)
    rows: dict[UUID, Row] = field(default_factory=dict)
    hold_until: datetime | None = None

    def __post_init__(self) -> None:
        traits = TRAITS[self.kind]
        bucket = Bucket(traits.burst, self.start, traits.per_minute, traits.burst)
        self.channel = ChannelState(CHANNEL, WORKSPACE, self.kind, "c", None, bucket, Circuit())

    def enter(self, alert_id: UUID, n: int, kind: str, *, at: datetime, cause: str = "scan") -> None:
        """A transition, as the intake enters it."""
        if kind not in ("opened", "notice") and not any(row.alert_id == alert_id for row in self.rows.values()):
            return
        delivery_id = ids.delivery_id(ids.transition_id(alert_id, n), CHANNEL)
        self.rows[delivery_id] = Row(
            delivery_id=delivery_id,
            workspace_id=WORKSPACE,
            channel_id=CHANNEL,
            alert_id=alert_id,
            transition_id=ids.transition_id(alert_id, n),
            host_id=None,
            rule_id=UUID(int=7),
            n=n,
            kind=kind,
            cause=cause,
            status=WAITING,
            position=len(self.rows),
            entered_at=at,
            next_attempt_at=at,
        )

    def redeliver(self, delivery_id: UUID, *, at: datetime) -> None:
        """A person wants a finished delivery again."""
        row = self.rows[delivery_id]
        if not row.unfinished:
            self.rows[delivery_id] = replace(
                row,
                status=WAITING,
                step=0,
                next_attempt_at=at,
                entered_at=at,
                asked_again=True,
                digest_id=None,
                claimed_until=None,
                error_class=None,
            )

    def dispatch(self, *, at: datetime, slots: int = 10) -> list[Claim]:
        """Plans and claims."""
        if self.hold_until is not None and self.hold_until > at:
            return []
        made = plan(self.channel, list(self.rows.values()), at=at, slots=slots, limits=self.limits)
        for one in made.finished:
            self._put(one.row, status=one.status.value, next_attempt_at=None, claimed_until=None, asked_again=False)
        for delivery_id, until in made.postponed:
            self._put(self.rows[delivery_id], next_attempt_at=until)
        for row in made.held:
            self._put(row, error_class=CIRCUIT_OPEN)
        if made.bucket is not None:
            self.channel = replace(self.channel, bucket=made.bucket)
        self.hold_until = made.hold_until
        return [self._claim(unit, made.probing, at) for unit in made.sends]

    def record(self, claim: Claim, attempt: Attempt, *, at: datetime) -> None:
        """Writes down an attempt's end."""
        settled = settle(self.channel, claim.ledger, attempt, at=at, limits=self.limits)
        own = self.rows[claim.ledger.delivery_id]
        members = [row for row in self.rows.values() if row.digest_id == own.delivery_id and row.unfinished]
        if own.unfinished and own.attempt == claim.ledger.attempt:
            self._settle(own, members, settled, at)
        self.channel = replace(self.channel, circuit=settled.health.circuit, bucket=settled.health.bucket)
        if settled.health.gone:
            self.channel = replace(self.channel, closed="channel-gone")
        self.hold_until = None
        if settled.health.resumes:
            for row in list(self.rows.values()):
                if row.unfinished and not row.under_way(at) and (row.next_attempt_at or at) > at:
                    self._put(row, next_attempt_at=at)

    def next_due(self) -> datetime | None:
        """When it is worth to dispatch again."""
        waiting = [row.next_attempt_at for row in self.rows.values() if row.unfinished and row.next_attempt_at]
        if not waiting:
            return None
        if self.channel.circuit.open:
            return self.hold_until or min(waiting)
        return max(min(waiting), self.hold_until or min(waiting))

    def all_rows(self) -> Sequence[Row]:
        """Every delivery, digests included."""
        return list(self.rows.values())

    def _claim(self, unit: Unit, probing: bool, at: datetime) -> Claim:
        row = unit.members[0]
        due = unit.next_attempt_at or at
        if unit.digest_id is not None:
            row = self._digest(unit, unit.digest_id, at)
        until = at + claim_time(self.channel.traits)
        members: Iterable[Row] = [one for one in self.rows.values() if one.digest_id == row.delivery_id]
        for one in members:
            self._put(one, next_attempt_at=until, claimed_until=until, maybe_received=True)
        before = self.rows[row.delivery_id]
        self._put(
            before,
            attempt=before.attempt + 1,
            next_attempt_at=until,
            claimed_until=until,
            maybe_received=True,
        )
        telling = TestTelling(channel="c", by="t", at=at)
        claimed = LedgerClaimed(before, self.kind, telling, before.attempt + 1, due, probing, until)
        return Claim(claimed, tuple(members) if before.kind == DIGEST else (before,))

    def _digest(self, unit: Unit, digest_id: UUID, at: datetime) -> Row:
        first = unit.members[0]
        old = self.rows.get(digest_id)
        self.rows[digest_id] = replace(
            first,
            delivery_id=digest_id,
            alert_id=None,
            transition_id=None,
            n=0,
            kind=DIGEST,
            status=WAITING,
            position=len(self.rows),
            step=max(row.step for row in unit.members),
            attempt=0 if old is None else old.attempt,
            maybe_received=old is not None and old.maybe_received,
            asked_again=False,
            digest_id=None,
            next_attempt_at=at,
            claimed_until=None,
        )
        for row in unit.members:
            self._put(row, digest_id=digest_id)
        return self.rows[digest_id]

    def _settle(self, own: Row, members: Sequence[Row], settled: Settled, at: datetime) -> None:
        verdict = settled.verdict
        dissolves = settled.dissolves and bool(members)
        final = dissolves or verdict.next_attempt_at is None
        self._put(
            own,
            status=DeliveryStatus.SUPERSEDED.value if dissolves else verdict.status.value,
            next_attempt_at=None if final else verdict.next_attempt_at,
            maybe_received=verdict.maybe_received,
            step=settled.step,
            claimed_until=None,
            asked_again=own.asked_again and not final,
        )
        for row in members:
            changes: dict[str, object] = {
                "status": verdict.status.value,
                "next_attempt_at": verdict.next_attempt_at,
                "claimed_until": None,
            }
            if dissolves:
                changes |= {"digest_id": None, "step": settled.step, "maybe_received": row.asked_again}
            else:
                changes |= {"maybe_received": verdict.maybe_received}
            self._put(row, **changes)
        if verdict.next_attempt_at is None:
            alerts = {row.alert_id for row in (own, *members)} - {None}
            for row in list(self.rows.values()):
                if row.alert_id in alerts and row.status == WAITING and row.digest_id is None:
                    self._put(row, next_attempt_at=min(at, row.next_attempt_at or at))

    def _put(self, row: Row, **changes: object) -> None:
        current = self.rows[row.delivery_id]
        self.rows[row.delivery_id] = replace(current, **changes)  # type: ignore[arg-type]
