"""Transitions, channels and commands into the ledger: rows and offsets in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.notifier.ledger import channels, entering, offsets
from services.notifier.recipients import NEWS, recipients
from services.notifier.records import MESSAGE, TEST, NewDelivery, delivery_of
from services.notifier.tellings import NoticeTelling, Telling, TestTelling
from vigilo.adapters.postgres import Connection
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind, DeliveryStatus
from vigilo.events.envelope import EncodedEvent, Event, Record
from vigilo.events.rules import Channel
from vigilo.ports.deadletters import StopLimit, dead_letter

logger = logging.getLogger("vigilo.notifier.intake")

SERVICE: Final = "notifier"
INPUTS: Final[dict[str, type[Event]]] = {
    "alerts": AlertTransition,
    "channels": Channel,
    "delivery-commands": DeliveryCommand,
}


class Intake:
    """Applies consumed records to the ledger. One per process."""

    def __init__(self, *, limit: StopLimit | None = None) -> None:
        self._limit = limit or StopLimit()

    async def apply(self, connection: Connection, records: Sequence[Record], *, now: datetime) -> list[EncodedEvent]:
        """Enters the records and moves the positions, all in the caller's transaction.

        Returns the dead letters: produce them before the commit. Records below the stored position are skipped.
        Raises OffsetsMoved when another notifier has gone on meanwhile, TooManyDeadLetters when too much is unusable.
        """
        stored = await offsets.read_offsets(connection)
        positions: dict[tuple[str, int], int] = {}
        letters: list[EncodedEvent] = []
        # Channels first: what follows may be for them.
        for record in sorted(records, key=lambda record: record.topic != "channels"):
            place = (record.topic, record.partition)
            if record.offset < positions.get(place, stored.get(place, 0)):
                continue
            positions[place] = record.offset + 1
            refused = await self._take(connection, record, now=now)
            if refused is not None:
                letters.append(refused)
        for (topic, partition), offset in positions.items():
            await offsets.advance(connection, topic, partition, came_from=stored.get((topic, partition)), to=offset)
        return letters

    async def _take(self, connection: Connection, record: Record, *, now: datetime) -> EncodedEvent | None:
        if record.value is None and record.topic == "channels":
            return None  # the tombstone of a channel that was deleted a month ago
        try:
            event = decode(record, INPUTS[record.topic])
        except UndecodableRecord as error:
            logger.warning("refused %s/%d/%d: %s", record.topic, record.partition, record.offset, error)
            self._limit.refused()
            return dead_letter(record, reason=error.reason, detail=error.detail, service=SERVICE, at=now)
        self._limit.accepted()
        await self._enter(connection, event, now=now)
        return None

    async def _enter(self, connection: Connection, event: Event, *, now: datetime) -> None:
        match event:
            case Channel():
                await channels.store_channel(connection, event)
            case AlertTransition():
                await _transition(connection, event, now=now)
            case DeliveryCommand():
                if await offsets.first_time(connection, event.command_id, event.workspace_id, now=now):
                    await _command(connection, event, now=now)
            case _:
                raise AssertionError(f"no intake for {type(event).__name__}")


async def _transition(connection: Connection, transition: AlertTransition, *, now: datetime) -> None:
    if transition.kind in NEWS:
        chosen = recipients(transition, (), await channels.routed(connection, transition.workspace_id))
    else:
        chosen = recipients(transition, await entering.told_of_open(connection, transition.alert_id))
    await entering.enter(connection, [delivery_of(transition, channel) for channel in chosen], due=now)


async def _command(connection: Connection, command: DeliveryCommand, *, now: datetime) -> None:
    if command.kind is not DeliveryCommandKind.REDELIVER:
        name = await channels.channel_name(connection, command.channel_id)
        await entering.enter(connection, [_message(command, name or str(command.channel_id))], due=now)
    elif command.delivery_id is not None:
        await entering.redeliver(
            connection,
            command.delivery_id,
            channel_id=command.channel_id,
            workspace_id=command.workspace_id,
            due=now,
        )
    elif command.since is not None:
        await entering.redeliver_span(
            connection,
            command.channel_id,
            workspace_id=command.workspace_id,
            since=command.since,
            until=command.until or command.at,
            statuses=command.statuses or (DeliveryStatus.FAILED,),
            due=now,
        )


def _message(command: DeliveryCommand, name: str) -> NewDelivery:
    telling: Telling = TestTelling(channel=name, by=command.by, at=command.at)
    if command.kind is DeliveryCommandKind.NOTICE:
        telling = NoticeTelling(
            workspace_id=command.workspace_id, title=command.title or "", text=command.text or "", at=command.at
        )
    return NewDelivery(
        delivery_id=ids.delivery_id(command.command_id, command.channel_id),
        workspace_id=command.workspace_id,
        channel_id=command.channel_id,
        kind=MESSAGE if command.kind is DeliveryCommandKind.NOTICE else TEST,
        telling=telling,
        told_at=command.at,
    )
