"""Looks after channels between deliveries: tells of those that keep failing, and counts circuits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from services.notifier.ledger import SILENT, TROUBLE
from services.notifier.ledger.channels import circuits, keeps_failing
from services.notifier.ledger.others import tell_if_overdue
from services.notifier.planning import Limits
from vigilo.adapters.postgres import Pool
from vigilo.adapters.rounds import repeat

logger = logging.getLogger("vigilo.notifier.watching")

_PAUSE_SECONDS: Final = 10.0

Circuits = Mapping[str, tuple[int, int]]


class Watcher:
    """`on_told` is called when there is something to send; `on_circuits` gets (closed, open) by kind."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: Callable[[], datetime],
        limits: Limits,
        on_told: Callable[[], None] = lambda: None,
        on_circuits: Callable[[Circuits], None] = lambda _: None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._limits = limits
        self._on_told = on_told
        self._on_circuits = on_circuits

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.round, pause_seconds=_PAUSE_SECONDS, trouble=TROUBLE, complaint=SILENT, logger=logger)

    async def round(self) -> int:
        """Returns of how many channels others were told."""
        now = self._clock()
        async with self._pool.connection() as connection:
            failing = await keeps_failing(connection, now=now, after=self._limits.tell_after)
            told = 0
            for channel_id in failing:
                async with connection.transaction():
                    told += await tell_if_overdue(connection, channel_id, at=now, limits=self._limits)
            self._on_circuits(await circuits(connection))
        if told:
            self._on_told()
        return told
