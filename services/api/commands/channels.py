"""What becomes of a channel when somebody adds, edits, deletes or tests it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from services.api.audit.change import Change
from services.api.commands import destinations
from services.api.models.channel_kinds import KINDS, ChannelToAdd, WebhookToAdd
from services.api.models.channels import ChannelPatch
from services.api.models.observed import Redelivery
from services.api.problems import Problem, invalid, of_validation
from vigilo.adapters.channel_credentials import Credentials
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import record_id
from vigilo.events.rules import AlertRule, Channel, ChannelKind, RecordStatus, Route

Wanted = ChannelToAdd


def add(
    wanted: Wanted, fresh_secret: str, *, workspace_id: UUID, channel_id: UUID, at: datetime
) -> tuple[Channel, Credentials]:
    """The first version of a channel, and what is to be sealed for it."""
    if isinstance(wanted, WebhookToAdd) and wanted.secret is None:
        wanted = wanted.model_copy(update={"secret": fresh_secret})
    kept = wanted.kept()
    channel = Channel(
        channel_id=channel_id,
        workspace_id=workspace_id,
        version=1,
        status=RecordStatus.ACTIVE,
        kind=ChannelKind(wanted.kind),
        name=wanted.name,
        enabled=wanted.enabled,
        destination=destinations.shown(kept),
        routes=_routes(wanted),
        created_at=at,
        updated_at=at,
    )
    return channel, kept


def edit(
    channel: Channel, credentials: Credentials, patch: ChannelPatch, *, at: datetime
) -> tuple[Channel, Credentials]:
    """The next version and its credentials; the same ones if nothing would change.

    New credentials make a new version too: the notifier forgets then that a receiver had answered 410 Gone.
    Raises a 422 problem for what is not of the channel's kind, or not valid for it.
    """
    wanted = _whole(channel, credentials, patch.changes())
    renewed = wanted.kept()
    changes: dict[str, object] = {
        "name": wanted.name,
        "enabled": wanted.enabled,
        "routes": _routes(wanted),
        "destination": destinations.shown(renewed),
    }
    if renewed == credentials and all(getattr(channel, name) == value for name, value in changes.items()):
        return channel, credentials
    return _next(channel, at, **changes), renewed


def _whole(channel: Channel, credentials: Credentials, changes: Mapping[str, Any]) -> Wanted:
    """The channel as if it were added as it is to be: one model judges both."""
    kind = KINDS[channel.kind.value]
    for name in changes:
        if name not in kind.model_fields:
            own = ", ".join(one for one in kind.model_fields if one != "kind")
            raise invalid(name, f"a channel of the kind {channel.kind.value} has no such field", f"one of {own}")
    present = {"kind": channel.kind.value, "name": channel.name, "enabled": channel.enabled}
    routes = [one.model_dump() if isinstance(one, BaseModel) else one for one in changes.get("routes", channel.routes)]
    try:
        return kind.model_validate({**present, **credentials.model_dump(), **changes, "routes": routes})
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        raise of_validation(found) from None


def _routes(wanted: Wanted) -> tuple[Route, ...]:
    return tuple(Route(**dict(one)) for one in wanted.routes)


def delete(channel: Channel, users: Sequence[AlertRule], *, at: datetime) -> Channel:
    """The last version. Raises a 409 problem while rules send to it."""
    if users:
        detail = "Alert rules send to this channel; take it out of them first."
        rules = [{"rule_id": str(rule.rule_id), "name": rule.name} for rule in users]
        raise Problem(409, "channel-in-use", detail, rules=rules)
    return _next(channel, at, status=RecordStatus.DELETED)


def test(channel: Channel, *, command_id: UUID, by: str, at: datetime) -> DeliveryCommand:
    """The command to send a test message. Raises a 409 problem for a disabled channel."""
    _check_enabled(channel, "testing it")
    return _asked(channel, DeliveryCommandKind.TEST, command_id=command_id, by=by, at=at)


def redeliver_one(channel: Channel, delivery_id: UUID, *, command_id: UUID, by: str, at: datetime) -> DeliveryCommand:
    """The command to send one message again. Raises a 409 problem for a disabled channel."""
    _check_enabled(channel, "sending to it again")
    asked = _asked(channel, DeliveryCommandKind.REDELIVER, command_id=command_id, by=by, at=at)
    return asked.model_copy(update={"delivery_id": delivery_id})


def redeliver(channel: Channel, wanted: Redelivery, *, command_id: UUID, by: str, at: datetime) -> DeliveryCommand:
    """The command to send the messages of a span again. Raises 409 for a disabled channel, 422 for no span."""
    until = wanted.until or at
    if not wanted.since < until:
        field = "until" if wanted.until else "since"
        raise invalid(field, "the span ends before it begins", "`since` before `until`, and before now")
    span = {"since": wanted.since, "until": until, "statuses": tuple(dict.fromkeys(wanted.statuses))}
    _check_enabled(channel, "sending to it again")
    asked = _asked(channel, DeliveryCommandKind.REDELIVER, command_id=command_id, by=by, at=at)
    return asked.model_copy(update=span)


def _check_enabled(channel: Channel, doing: str) -> None:
    if not channel.enabled:
        raise Problem(409, "channel-disabled", f"This channel is disabled; enable it before {doing}.")


def _asked(channel: Channel, kind: DeliveryCommandKind, *, command_id: UUID, by: str, at: datetime) -> DeliveryCommand:
    return DeliveryCommand(
        command_id=command_id,
        workspace_id=channel.workspace_id,
        channel_id=channel.channel_id,
        kind=kind,
        by=by,
        at=at,
    )


def record(channel: Channel) -> OutgoingEvent:
    """The event that tells this version."""
    identity = record_id(channel.channel_id, channel.version)
    return OutgoingEvent("channels", str(channel.channel_id), identity, channel, channel.updated_at)


def command(asked: DeliveryCommand) -> OutgoingEvent:
    """The event that tells this command."""
    return OutgoingEvent("delivery-commands", str(asked.channel_id), asked.command_id, asked, asked.at)


def told(verb: str, before: Channel | None, after: Channel, *, renewed: Sequence[str] = ()) -> Change:
    """What the audit log says; a deleted channel has only a `before`. `renewed`: credentials that are others now."""
    gone = after.status is RecordStatus.DELETED
    change = Change.between(f"channel.{verb}", f"channel:{after.channel_id}", before, None if gone else after)
    return replace(change, after={**(change.after or {}), "renewed": list(renewed)}) if renewed else change


def told_test(asked: DeliveryCommand) -> Change:
    """What the audit log says of a test message."""
    return Change("channel.test", f"channel:{asked.channel_id}", None, {"command_id": str(asked.command_id)})


def told_redelivery(asked: DeliveryCommand) -> Change:
    """What the audit log says of messages that are to go out again."""
    kept = {"command_id", "channel_id", "delivery_id", "since", "until", "statuses"}
    subject = f"channel:{asked.channel_id}" if asked.delivery_id is None else f"delivery:{asked.delivery_id}"
    return Change("delivery.redeliver", subject, None, asked.model_dump(mode="json", include=kept, exclude_none=True))


def renewed(before: Credentials, after: Credentials) -> list[str]:
    """Which credentials are others now, by name: their values are for nobody."""
    return [name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)]


def _next(channel: Channel, at: datetime, **changes: object) -> Channel:
    return channel.model_copy(update={**changes, "version": channel.version + 1, "updated_at": at})
