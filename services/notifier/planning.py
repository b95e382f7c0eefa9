"""What happens to the deliveries of one channel now: which leave, which wait, which are not sent at all. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import Traits
from services.notifier.circuit import CIRCUIT_OPEN
from services.notifier.grouping import Unit, grouped
from services.notifier.records import ChannelState, Row
from services.notifier.superseding import superseded
from vigilo.events.deliveries import DeliveryStatus

# An attempt begins within this time of its claim, or not at all.
BEGINS_WITHIN: Final = timedelta(seconds=5)
WRONG_WORKSPACE: Final = "channel-of-another-workspace"


def claim_time(traits: Traits) -> timedelta:
    """A claim outlives the longest attempt; a dead notifier's deliveries are taken up again after it."""
    return traits.longest + BEGINS_WITHIN


@dataclass(frozen=True, slots=True)
class Limits:
    """`at_once`: requests to one channel under way at a time. `digest_from`: so many of one cause are one message.

    `opens_after`: failures in a row that open the circuit. `tell_after`: a channel that fails for so long is told of.
    """

    at_once: int = 10
    digest_from: int = 5
    collect: timedelta = timedelta(seconds=60)
    opens_after: int = 5
    tell_after: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Finish:
    """A delivery that ends without an attempt."""

    row: Row
    status: DeliveryStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`postponed`: (delivery, not before). `held`: told for the first time that the circuit keeps them waiting.

    `probing`: the one unit in `sends` is a probe. `hold_until`: nothing more of this channel can leave before.
    """

    finished: tuple[Finish, ...] = ()
    postponed: tuple[tuple[UUID, datetime], ...] = ()
    held: tuple[Row, ...] = ()
    sends: tuple[Unit, ...] = ()
    probing: bool = False
    bucket: Bucket | None = None
    hold_until: datetime | None = None


def plan(channel: ChannelState, rows: Sequence[Row], *, at: datetime, slots: int, limits: Limits) -> Plan:
    """The next step of a channel.

    `rows` are its unfinished deliveries (a window of them will do) with all others of their alerts. Every row in
    `sends` takes a token and a slot; nothing is sent out of the order of entry for the lack of either.
    """
    unfinished = [row for row in rows if row.unfinished]
    if channel.closed is not None:
        idle = [row for row in unfinished if not row.under_way(at)]
        return Plan(tuple(Finish(row, DeliveryStatus.FAILED, channel.closed) for row in idle))
    finished = [*_superseded(rows, channel.traits, at), *_foreign(channel, unfinished)]
    ended = {one.row.delivery_id for one in finished}
    left = [row for row in unfinished if row.delivery_id not in ended]
    startable, blocked = _in_order(left, at)
    if channel.circuit.open:
        return _plan_open(channel, left, startable, finished, at=at, slots=slots, limits=limits)
    found = grouped(startable, digests=channel.traits.digests, at=at, least=limits.digest_from, collect=limits.collect)
    under_way = sum(1 for row in left if row.under_way(at) and not row.carried)
    sends, bucket = _taken(found.units, channel.bucket, at, min(slots, limits.at_once - under_way))
    dry = len(sends) < len(found.units) and not bucket.ready(at)
    return Plan(
        finished=tuple(finished),
        postponed=(*blocked, *((row.delivery_id, until) for row, until in found.collecting if row.due(at))),
        sends=sends,
        bucket=bucket,
        hold_until=bucket.ready_at() if dry else None,
    )


def _plan_open(
    channel: ChannelState,
    left: Sequence[Row],
    startable: Sequence[Row],
    finished: Sequence[Finish],
    *,
    at: datetime,
    slots: int,
    limits: Limits,
) -> Plan:
    given_up = _given_up(channel.traits, left, startable, at)
    ended = {row.delivery_id for row in given_up}
    finished = (*finished, *(Finish(row, DeliveryStatus.FAILED, CIRCUIT_OPEN) for row in given_up))
    held = [row for row in left if row.delivery_id not in ended and not row.under_way(at) and not row.carried]
    news = tuple(row for row in held if row.error_class != CIRCUIT_OPEN)
    under_way = [row.claimed_until for row in left if row.under_way(at) and row.claimed_until is not None]
    if under_way:
        return Plan(tuple(finished), held=news, hold_until=min(under_way))
    pause = max(channel.circuit.probe_at or at, channel.bucket.at)
    if pause > at:
        return Plan(tuple(finished), held=news, hold_until=pause)
    candidates = [row for row in startable if row.delivery_id not in ended]
    found = grouped(
        candidates,
        digests=channel.traits.digests,
        at=at,
        least=limits.digest_from,
        collect=limits.collect,
        impatient=True,
    )
    if slots < 1 or not found.units:
        return Plan(tuple(finished), held=news, hold_until=min((until for _, until in found.collecting), default=None))
    probe = found.units[0]
    members = {row.delivery_id for row in probe.members}
    news = tuple(row for row in news if row.delivery_id not in members)
    return Plan(tuple(finished), (), news, (probe,), True, channel.bucket.less_one(at))


def _given_up(traits: Traits, left: Sequence[Row], startable: Sequence[Row], at: datetime) -> list[Row]:
    """What has waited as long as its schedule lasts; a digest with all that it carries, which nobody else would end."""
    patience = sum(traits.delays, timedelta())
    late = [row for row in startable if row.entered_at + patience <= at and not row.under_way(at)]
    digests = {row.delivery_id for row in late}
    return late + [row for row in left if row.carried and row.digest_id in digests]


def _superseded(rows: Sequence[Row], traits: Traits, at: datetime) -> list[Finish]:
    found: list[Finish] = []
    for history in _by_alert(rows).values():
        reasons = superseded(history, traits, at=at)
        found += [
            Finish(row, DeliveryStatus.SUPERSEDED, reasons[row.delivery_id])
            for row in history
            if row.delivery_id in reasons
        ]
    return found


def _foreign(channel: ChannelState, rows: Iterable[Row]) -> list[Finish]:
    # A rule that names another workspace's channel: nothing may cross, whoever let it be written.
    return [
        Finish(row, DeliveryStatus.FAILED, WRONG_WORKSPACE) for row in rows if row.workspace_id != channel.workspace_id
    ]


def _in_order(left: Sequence[Row], at: datetime) -> tuple[list[Row], list[tuple[UUID, datetime]]]:
    """What may start: of one alert the earliest, if nothing of it is under way; the others wait for the earliest."""
    startable = [row for row in left if row.alert_id is None and not row.under_way(at)]
    blocked: list[tuple[UUID, datetime]] = []
    for history in _by_alert(left).values():
        busy = next((row for row in history if row.under_way(at)), None)
        first = busy or history[0]
        if busy is None and not first.carried:
            startable.append(first)
        until = first.claimed_until if busy is not None else first.next_attempt_at
        if until is not None and until > at:
            blocked += [(row.delivery_id, until) for row in history if row is not first and row.due(at)]
    return startable, blocked


def _taken(units: Sequence[Unit], bucket: Bucket, at: datetime, most: int) -> tuple[tuple[Unit, ...], Bucket]:
    taken: list[Unit] = []
    for unit in units:
        if len(taken) >= most or not bucket.ready(at):
            break
        taken.append(unit)
        bucket = bucket.less_one(at)
    return tuple(taken), bucket


def _by_alert(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row.alert_id is not None:
            found[row.alert_id].append(row)
    return {alert: sorted(history, key=lambda row: row.n) for alert, history in found.items()}
