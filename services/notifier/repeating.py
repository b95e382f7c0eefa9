"""Tells receivers that forget what they are not told again: an Alertmanager keeps alerts in memory, for minutes.

Source: Prometheus, Alertmanager, "Alerts API": clients send firing alerts again and again, and closed ones for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from services.notifier.delivery import MISCONFIGURED, Attempt
from services.notifier.ledger import SILENT, TROUBLE
from services.notifier.ledger.repeating import Repetition, due_repetitions, note_repetition
from services.notifier.planning import Limits
from services.notifier.worker import Destinations, Senders
from vigilo.adapters.postgres import Pool
from vigilo.adapters.rounds import repeat
from vigilo.events.alerts import AlertTransition
from vigilo.events.rules import ChannelKind

logger = logging.getLogger("vigilo.notifier.repeating")

EVERY: Final = timedelta(seconds=60)
CLOSED_FOR: Final = timedelta(minutes=5)
_LOOK_SECONDS: Final = 5.0


@runtime_checkable
class RepeatingSender(Protocol):
    """A sender that can tell many alerts at once."""

    async def send_many(self, credentials: bytes, transitions: Iterable[AlertTransition]) -> Attempt:
        """One attempt for all of them; raises nothing but cancellation."""
        ...


class Repeater:
    """Posts again what is open, and for five minutes what has closed. Beside the ledger: no deliveries, no events."""

    def __init__(
        self,
        pool: Pool,
        senders: Senders,
        destinations: Destinations,
        *,
        clock: Callable[[], datetime],
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._pool = pool
        self._senders: Mapping[ChannelKind, RepeatingSender] = {
            kind: sender for kind, sender in senders.items() if isinstance(sender, RepeatingSender)
        }
        self._destinations = destinations
        self._clock = clock
        self._limits = limits

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.round, pause_seconds=_LOOK_SECONDS, trouble=TROUBLE, complaint=SILENT, logger=logger)

    async def round(self) -> int:
        """Every channel whose last round is a minute ago; returns how many were told anything."""
        told = 0
        for kind, sender in self._senders.items():
            async with self._pool.connection() as connection, connection.transaction():
                due = await due_repetitions(connection, kind, now=self._clock(), every=EVERY, closed_for=CLOSED_FOR)
            for one in due:
                if one.transitions:
                    await self._tell(sender, one)
                    told += 1
        return told

    async def _tell(self, sender: RepeatingSender, one: Repetition) -> None:
        try:
            credentials = self._destinations.open(one.workspace_id, one.channel_id, one.key_id, one.sealed)
            attempt = await sender.send_many(credentials, one.transitions)
        except ValueError:
            attempt = MISCONFIGURED
        async with self._pool.connection() as connection, connection.transaction():
            await note_repetition(connection, one.channel_id, attempt, at=self._clock(), limits=self._limits)
