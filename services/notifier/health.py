"""What an attempt says of its channel: circuit, pace, and what other channels are told of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.notifier.bucket import Bucket
from services.notifier.circuit import Circuit
from services.notifier.delivery import Answer, Attempt
from services.notifier.planning import Limits
from services.notifier.records import MESSAGE, ChannelState, NewDelivery
from services.notifier.schedule import RETRY_AFTER_MAX
from services.notifier.tellings import NoticeTelling
from vigilo.events import ids
from vigilo.events.rules import Severity

_WORKS = "works"


class Trouble(StrEnum):
    """What other channels can be told of one. `gone`: nothing is sent to it any more. `failing`: nothing has come
    through for a long time. `refused`: one message about an alert was refused for good.
    """

    GONE = "gone"
    FAILING = "failing"
    REFUSED = "refused"

    @property
    def lasts(self) -> bool:
        """True if those who were told will be told when the channel works again."""
        return self is not Trouble.REFUSED


@dataclass(frozen=True, slots=True)
class Word:
    """What others are told: `since` is the first failure after the last success, `reason` an error class."""

    trouble: Trouble
    since: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """A channel after an attempt. `resumes`: its circuit has closed, what waited is due. `tells`: others are told, each
    once. `tells_works`: the `failing_since` of which those who were told are told that it is over.
    """

    circuit: Circuit
    bucket: Bucket
    gone: bool = False
    resumes: bool = False
    tells: Word | None = None
    tells_works: datetime | None = None


def health_after(
    channel: ChannelState, attempt: Attempt, *, probe: bool, of_alert: bool, at: datetime, limits: Limits
) -> Health:
    """The channel's health by its state when the attempt ended; `of_alert` if that was about an alert, or several.

    A receiver that asks for a pause gets one.
    """
    circuit = channel.circuit.after(attempt, probe=probe, at=at, opens_after=limits.opens_after)
    works = attempt.answer is Answer.ACCEPTED
    pause = None if works else attempt.retry_after
    return Health(
        circuit=circuit,
        bucket=channel.bucket if pause is None else channel.bucket.stopped(at + min(pause, RETRY_AFTER_MAX)),
        gone=attempt.answer is Answer.GONE,
        resumes=channel.circuit.open and not circuit.open,
        tells=_word(channel, circuit, attempt, of_alert=of_alert, at=at, limits=limits),
        tells_works=channel.told_failing if works else None,
    )


def _word(
    channel: ChannelState, circuit: Circuit, attempt: Attempt, *, of_alert: bool, at: datetime, limits: Limits
) -> Word | None:
    if circuit.failing_since is None:
        return None
    if attempt.answer is Answer.GONE:
        return Word(Trouble.GONE, circuit.failing_since, attempt.error_class)
    if (since := overdue(circuit, told=channel.told_failing, at=at, after=limits.tell_after)) is not None:
        return Word(Trouble.FAILING, since)
    if attempt.answer is Answer.INVALID and of_alert:
        return Word(Trouble.REFUSED, circuit.failing_since, attempt.error_class)
    return None


def overdue(circuit: Circuit, *, told: datetime | None, at: datetime, after: timedelta) -> datetime | None:
    """Since when the channel fails, if that is so long that others should be told now; `told` is what they know."""
    since = circuit.failing_since
    return since if since is not None and since != told and since + after <= at else None


def trouble_notice(channel: ChannelState, word: Word, to: UUID, *, at: datetime) -> NewDelivery:
    """Tells channel `to`. The same channel, word, instant and receiver always give the same delivery."""
    name, reason = _named(channel), word.reason or "no reason"
    match word.trouble:
        case Trouble.GONE:
            title = f"The {name} is gone"
            text = f"Its receiver takes nothing any more ({reason}): nothing is sent until somebody edits the channel."
        case Trouble.FAILING:
            title = f"The {name} keeps failing"
            text = f"No message has come through since {word.since:%Y-%m-%d %H:%M} UTC. What waits for it is tried on."
        case Trouble.REFUSED:
            title = f"The {name} refused an alert"
            text = f"Its receiver will never take a message ({reason}), which is given up. Others are still sent to it."
    telling = NoticeTelling(
        workspace_id=channel.workspace_id, title=title, text=text, severity=Severity.CRITICAL, at=at
    )
    return _notice(channel, word.since, to, word.trouble, telling)


def works_notice(channel: ChannelState, since: datetime, to: UUID, *, at: datetime) -> NewDelivery:
    """Tells channel `to`, which was told that this one fails, that it works again."""
    telling = NoticeTelling(
        workspace_id=channel.workspace_id,
        title=f"The {_named(channel)} works again",
        text=f"It had failed since {since:%Y-%m-%d %H:%M} UTC. What waited for it is being sent.",
        severity=Severity.INFO,
        at=at,
    )
    return _notice(channel, since, to, _WORKS, telling)


def notice_delivery_id(channel_id: UUID, since: datetime, to: UUID, word: str) -> UUID:
    """The delivery to `to` of what it is told of a channel."""
    return ids.delivery_id(ids.channel_notice_id(channel_id, since, word), to)


def _named(channel: ChannelState) -> str:
    return f"{channel.kind.value} channel {channel.name!r}"


def _notice(channel: ChannelState, since: datetime, to: UUID, word: str, telling: NoticeTelling) -> NewDelivery:
    return NewDelivery(
        delivery_id=notice_delivery_id(channel.channel_id, since, to, word),
        workspace_id=channel.workspace_id,
        channel_id=to,
        kind=MESSAGE,
        telling=telling,
        told_at=telling.at,
    )
