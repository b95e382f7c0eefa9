"""What the ledger tells the world: delivery events, by its outbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.outbox import OutboxTable, columns
from vigilo.adapters.postgres import Connection
from vigilo.events import ids
from vigilo.events.deliveries import Delivery
from vigilo.events.envelope import OutgoingEvent

SOURCE: Final = "vigilo/notifier"
OUTBOX: Final = OutboxTable("notifier", "outbox", lock=AdvisoryLock.NOTIFIER_RELAY, channel="vigilo_notifier_outbox")


async def announce(connection: Connection, events: Iterable[Delivery], *, word: str | None = None) -> None:
    """Puts delivery events into the outbox. `word` tells events apart that share attempt and status."""
    rows = [(event.workspace_id, *columns(_outgoing(event, word), source=SOURCE)) for event in events]
    if not rows:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into notifier.outbox (workspace_id, id, aggregatetype, aggregateid, type, payload, headers) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _outgoing(event: Delivery, word: str | None) -> OutgoingEvent:
    event_id: UUID = ids.delivery_event_id(event.delivery_id, event.attempt, word or event.status.value)
    return OutgoingEvent(topic="deliveries", key=str(event.delivery_id), id=event_id, event=event, time=event.at)
