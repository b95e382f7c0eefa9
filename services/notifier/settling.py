"""What an attempt changes: the delivery, its channel, and what other channels are told of that channel. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.notifier.bucket import Bucket
from services.notifier.circuit import Circuit
from services.notifier.delivery import Answer, Attempt, Verdict, judge
from services.notifier.planning import Limits
from services.notifier.records import DIGEST, MESSAGE, ChannelState, Claimed, NewDelivery
from services.notifier.schedule import RETRY_AFTER_MAX
from services.notifier.tellings import NoticeTelling
from vigilo.events import ids
from vigilo.events.deliveries import DeliveryStatus
from vigilo.events.rules import Severity

GONE = "channel-gone"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger writes down after an attempt.

    `dissolves`: a digest that nobody got; its members wait for themselves again. `resumes`: the circuit has closed,
    what waited is due. `tells_failing` / `tells_works`: the `failing_since` that other channels are told of.
    """

    verdict: Verdict
    step: int
    circuit: Circuit
    bucket: Bucket
    dissolves: bool = False
    resumes: bool = False
    tells_failing: datetime | None = None
    tells_works: datetime | None = None


def settle(channel: ChannelState, claimed: Claimed, attempt: Attempt, *, at: datetime, limits: Limits) -> Settled:
    """The outcome of an attempt, by the channel's state when it ended."""
    step = claimed.row.step + 1
    verdict = judge(
        attempt,
        number=step,
        delivery_id=claimed.delivery_id,
        maybe_received=claimed.row.maybe_received,
        at=at,
        delays=channel.traits.delays,
    )
    early = claimed.probe and claimed.due_at > at
    if early and verdict.next_attempt_at is None and attempt.answer not in _FINAL:
        verdict = replace(verdict, status=DeliveryStatus.RETRYING)
    if early and verdict.status is DeliveryStatus.RETRYING:
        # A probe before its time costs the delivery nothing of its own schedule.
        step, verdict = claimed.row.step, replace(verdict, next_attempt_at=claimed.due_at)
    circuit, bucket = after(channel, attempt, probe=claimed.probe, at=at, limits=limits)
    nobody_has_it = verdict.status is DeliveryStatus.RETRYING and not verdict.maybe_received
    failing = circuit.failing_since if verdict.channel_gone else None
    return Settled(
        verdict=verdict,
        step=step,
        circuit=circuit,
        bucket=bucket,
        dissolves=claimed.row.kind == DIGEST and nobody_has_it,
        resumes=channel.circuit.open and not circuit.open,
        tells_failing=failing if failing != channel.told_failing else None,
        tells_works=channel.told_failing if attempt.answer is Answer.ACCEPTED else None,
    )


_FINAL = frozenset({Answer.ACCEPTED, Answer.GONE, Answer.INVALID})


def after(
    channel: ChannelState, attempt: Attempt, *, probe: bool, at: datetime, limits: Limits
) -> tuple[Circuit, Bucket]:
    """The channel's circuit and bucket after an attempt; a receiver that asks for a pause gets one."""
    circuit = channel.circuit.after(attempt, probe=probe, at=at, opens_after=limits.opens_after)
    if attempt.retry_after is None or attempt.answer is Answer.ACCEPTED:
        return circuit, channel.bucket
    return circuit, channel.bucket.stopped(at + min(attempt.retry_after, RETRY_AFTER_MAX))


def overdue(circuit: Circuit, *, told: datetime | None, at: datetime, after: timedelta) -> bool:
    """True if others should be told now that a channel, which has something waiting, keeps failing."""
    since = circuit.failing_since
    return since is not None and since != told and since + after <= at


def failing_notice(channel: ChannelState, since: datetime, to: UUID, *, gone: bool, at: datetime) -> NewDelivery:
    """Tells channel `to` that this one fails. The same channel, instant and receiver always give the same delivery."""
    name = f"{channel.kind.value} channel {channel.name!r}"
    if gone:
        title = f"The {name} is gone"
        text = "Its receiver answers 410 Gone: nothing is sent to it until somebody edits the channel."
    else:
        title = f"The {name} keeps failing"
        text = f"No message has come through since {since:%Y-%m-%d %H:%M} UTC. What waits for it is tried on."
    telling = NoticeTelling(
        workspace_id=channel.workspace_id, title=title, text=text, severity=Severity.CRITICAL, at=at
    )
    return _notice(channel, since, to, "failing", telling)


def works_notice(channel: ChannelState, since: datetime, to: UUID, *, at: datetime) -> NewDelivery:
    """Tells channel `to`, which was told that this one fails, that it works again."""
    telling = NoticeTelling(
        workspace_id=channel.workspace_id,
        title=f"The {channel.kind.value} channel {channel.name!r} works again",
        text=f"It had failed since {since:%Y-%m-%d %H:%M} UTC. What waited for it is being sent.",
        severity=Severity.INFO,
        at=at,
    )
    return _notice(channel, since, to, "works", telling)


def notice_delivery_id(channel_id: UUID, since: datetime, to: UUID, word: str) -> UUID:
    """The delivery to `to` of what it is told of a channel."""
    return ids.delivery_id(ids.channel_notice_id(channel_id, since, word), to)


def _notice(channel: ChannelState, since: datetime, to: UUID, word: str, telling: NoticeTelling) -> NewDelivery:
    return NewDelivery(
        delivery_id=notice_delivery_id(channel.channel_id, since, to, word),
        workspace_id=channel.workspace_id,
        channel_id=to,
        kind=MESSAGE,
        telling=telling,
        told_at=telling.at,
    )
