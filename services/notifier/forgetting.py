"""Keeps the ledger from growing for ever: what is over goes when it is as old as all history that is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notifier.ledger import SILENT, TROUBLE
from services.notifier.ledger.forgetting import KEPT_AT_LEAST, channels_to_tidy, forget_deliveries
from services.notifier.ledger.offsets import forget_commands
from vigilo.adapters.postgres import Pool
from vigilo.adapters.rounds import repeat

logger = logging.getLogger("vigilo.notifier.forgetting")

BATCH: Final = 200  # messages; the channel is locked meanwhile, for some milliseconds
_PAUSE_SECONDS: Final = 600.0
_BETWEEN_BATCHES_SECONDS: Final = 0.05


class Forgetter:
    """Deletes in small batches, so that a long backlog holds nothing up. Several notifiers may do it at once."""

    def __init__(self, pool: Pool, *, clock: Callable[[], datetime], history: timedelta, batch: int = BATCH) -> None:
        self._pool = pool
        self._clock = clock
        self._kept = max(history, KEPT_AT_LEAST)
        self._batch = batch

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.round, pause_seconds=_PAUSE_SECONDS, trouble=TROUBLE, complaint=SILENT, logger=logger)

    async def round(self) -> int:
        """Everything that is old enough; returns how many deliveries went."""
        now = self._clock()
        async with self._pool.connection() as connection:
            await forget_commands(connection, now=now)
            channels = await channels_to_tidy(connection, before=now - self._kept)
        if gone := sum([await self._tidy(channel_id, before=now - self._kept) for channel_id in channels]):
            logger.info("forgot %d deliveries", gone)
        return gone

    async def _tidy(self, channel_id: UUID, *, before: datetime) -> int:
        gone = 0
        while True:
            async with self._pool.connection() as connection, connection.transaction():
                some = await forget_deliveries(connection, channel_id, before=before, most=self._batch)
            gone += some
            if some < self._batch:
                return gone
            await asyncio.sleep(_BETWEEN_BATCHES_SECONDS)
