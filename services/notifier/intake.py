"""Transitions, channels and commands into the ledger: rows and offsets in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.notifier import ledger
from services.notifier.channels.webhook import alert_message, sample_message
from services.notifier.delivery import recipients
from services.notifier.records import NewDelivery, delivery_of
from vigilo.adapters.postgres import Connection
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind
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

    def __init__(self, *, public_url: str, limit: StopLimit | None = None) -> None:
        self._public_url = public_url
        self._limit = limit or StopLimit()

    async def apply(self, connection: Connection, records: Sequence[Record], *, now: datetime) -> list[EncodedEvent]:
        """Enters the records and moves the positions, all in the caller's transaction.

        Returns the dead letters: produce them before the commit. Records below the stored position are skipped.
        Raises OffsetsMoved when another notifier has gone on meanwhile, TooManyDeadLetters when too much is unusable.
        """
        stored = await ledger.read_offsets(connection)
        positions: dict[tuple[str, int], int] = {}
        letters: list[EncodedEvent] = []
        for record in records:
            place = (record.topic, record.partition)
            if record.offset < positions.get(place, stored.get(place, 0)):
                continue
            positions[place] = record.offset + 1
            refused = await self._take(connection, record, now=now)
            if refused is not None:
                letters.append(refused)
        for (topic, partition), offset in positions.items():
            await ledger.advance(connection, topic, partition, came_from=stored.get((topic, partition)), to=offset)
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
                await ledger.store_channel(connection, event)
            case AlertTransition():
                told = await ledger.told_of_open(connection, event.alert_id)
                message = alert_message(event, public_url=self._public_url)
                chosen = [delivery_of(event, channel, message) for channel in recipients(event, told)]
                await ledger.enter(connection, chosen, due=now)
            case DeliveryCommand():
                await self._command(connection, event, now=now)
            case _:
                raise AssertionError(f"no intake for {type(event).__name__}")

    async def _command(self, connection: Connection, command: DeliveryCommand, *, now: datetime) -> None:
        if command.kind is DeliveryCommandKind.REDELIVER and command.delivery_id is not None:
            await ledger.redeliver(connection, command.delivery_id, command.workspace_id, due=now)
            return
        await ledger.enter(connection, [_sample(command)], due=now)


def _sample(command: DeliveryCommand) -> NewDelivery:
    message: dict[str, Any] = sample_message(channel=str(command.channel_id), by=command.by, at=command.at)
    return NewDelivery(
        delivery_id=ids.delivery_id(command.command_id, command.channel_id),
        workspace_id=command.workspace_id,
        channel_id=command.channel_id,
        alert_id=None,
        transition_id=None,
        host_id=None,
        n=0,
        kind="test",
        message=message,
    )
