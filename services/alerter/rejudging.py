"""Brings hosts up to date with rules and snoozes: a wakeup to every row that a change concerns, and to no other.

The wakeup is an event of the stream like any other, so nothing is lost when the worker dies between reading a rule and
judging: whoever gets the partition next finds the same rows behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.alerter.behind import must_judge
from services.alerter.configuration import Configuration
from services.alerter.decide import CONFIG, SIDE, wakeup
from services.alerter.state import HostAlerts, HostFacts
from vigilo.adapters.streams import Row, StreamService, utc_now
from vigilo.events import ids
from vigilo.events.envelope import OutgoingEvent

logger = logging.getLogger("vigilo.alerter")

_ROWS_PER_BREATH = 100  # looked at before other work gets its turn
_WAKEUPS_AT_ONCE = 500  # handed over and awaited together


class Rejudging:
    """Sweeps the rows after each assignment and after each change of the configuration; one sweep at a time."""

    def __init__(self, configuration: Configuration, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._configuration = configuration
        self._clock = clock
        self._wanted = asyncio.Event()
        self._sweeping = False
        configuration.on_change = self._wanted.set

    async def on_ready(self, service: StreamService[HostAlerts]) -> None:
        """Asks for a sweep. The first call stays to do the sweeps; if it fails, the stream base ends the process."""
        self._wanted.set()
        if self._sweeping:
            return
        self._sweeping = True
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._sweep(service)

    async def _sweep(self, service: StreamService[HostAlerts]) -> None:
        rules = self._configuration.current()
        wakeups: list[OutgoingEvent] = []
        sent = 0
        for looked_at, row in enumerate(service.rows(), start=1):
            if must_judge(row.state, _facts_of(row), rules, at=self._clock()):
                wakeups.append(wakeup(UUID(row.key), due=self._clock(), reason=CONFIG, event_id=ids.new_id()))
            if len(wakeups) >= _WAKEUPS_AT_ONCE:
                sent += await _send(service, wakeups)
            if looked_at % _ROWS_PER_BREATH == 0:
                await asyncio.sleep(0)
        sent += await _send(service, wakeups)
        if sent:
            logger.info("%d hosts are judged again by configuration %s", sent, dict(rules.versions))


def _facts_of(row: Row[HostAlerts]) -> Callable[[], HostFacts | None]:
    def facts() -> HostFacts | None:
        found = row.side.get(SIDE)
        return found if isinstance(found, HostFacts) else None

    return facts


async def _send(service: StreamService[HostAlerts], wakeups: list[OutgoingEvent]) -> int:
    sent = len(wakeups)
    await service.wake(*wakeups)
    wakeups.clear()
    return sent
