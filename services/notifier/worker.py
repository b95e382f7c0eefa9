"""Works through the ledger: plan and claim, send, record. Several workers, in one process or many, share it safely."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from services.notifier.channels.channel import ChannelSender
from services.notifier.channels.traits import TRAITS
from services.notifier.delivery import MISCONFIGURED, Answer, Attempt
from services.notifier.ledger import SILENT, TROUBLE
from services.notifier.ledger.dispatching import dispatch, due_channels, next_due
from services.notifier.ledger.recording import record
from services.notifier.planning import Limits
from services.notifier.records import Claimed
from vigilo.adapters.postgres import Pool
from vigilo.events.rules import ChannelKind

logger = logging.getLogger("vigilo.notifier.worker")

IN_FLIGHT: Final = 40
_SHORTEST_WAIT: Final = timedelta(milliseconds=200)
_LONGEST_WAIT: Final = timedelta(seconds=15)
_AFTER_TROUBLE: Final = timedelta(seconds=2)
# The answer is known: it is written down even if the database takes a while to come back.
_RECORD_TRIES: Final = 30

Senders = Mapping[ChannelKind, ChannelSender]


class Destinations(Protocol):
    """Opens the sealed part of a channel."""

    def open(self, workspace_id: UUID, channel_id: UUID, key_id: str | None, sealed: bytes | None) -> bytes:
        """The credentials as JSON. Raises ValueError when they cannot be opened."""
        ...


class Worker:
    """Sends what is due. `wake` tells it that the ledger has something new."""

    def __init__(
        self,
        pool: Pool,
        senders: Senders,
        destinations: Destinations,
        *,
        clock: Callable[[], datetime],
        limits: Limits = Limits(),  # noqa: B008 - frozen
        on_attempt: Callable[[ChannelKind, Attempt], None] = lambda _kind, _attempt: None,
    ) -> None:
        self._pool = pool
        self._senders = senders
        self._destinations = destinations
        self._clock = clock
        self._limits = limits
        self._on_attempt = on_attempt
        self._wake = asyncio.Event()
        self._stopping = False
        self._attempts: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something is due sooner than was known."""
        self._wake.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns once the attempts under way are recorded."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Works until `stop`."""
        while not self._stopping:
            self._wake.clear()
            wait = await self._round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._wake.wait()
        if self._attempts:
            await asyncio.wait(self._attempts)

    async def _round(self) -> timedelta:
        try:
            while not self._stopping and await self._turn():
                pass
            return await self._pause()
        except TROUBLE as error:
            logger.warning("%s: %s", SILENT, error)
            return _AFTER_TROUBLE

    async def _turn(self) -> int:
        """One step of every channel that has something due; returns how many attempts began."""
        async with self._pool.connection() as connection:
            channels = await due_channels(connection, now=self._clock())
        begun = 0
        for channel_id in channels:
            slots = IN_FLIGHT - len(self._attempts)
            if self._stopping or slots < 1:
                return 0
            # A fair share each: a receiver that hangs must not hold every slot.
            begun += await self._step(channel_id, max(slots // 2, 1))
        return begun

    async def _step(self, channel_id: UUID, slots: int) -> int:
        async with self._pool.connection() as connection, connection.transaction():
            claimed = await dispatch(connection, channel_id, now=self._clock(), slots=slots, limits=self._limits)
        for one in claimed:
            task = asyncio.create_task(self._attempt(one))
            self._attempts.add(task)
            task.add_done_callback(self._finished)
        return len(claimed)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        # The next transition of the same alert may have waited for this one.
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The claim runs out by itself and the attempt is made again, with the same id.
            logger.warning("an attempt could not be recorded: %s", error)

    async def _pause(self) -> timedelta:
        async with self._pool.connection() as connection:
            due = await next_due(connection)
        if due is None:
            return _LONGEST_WAIT
        return min(max(due - self._clock(), _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _attempt(self, claimed: Claimed) -> None:
        longest = TRAITS[claimed.kind].longest
        if self._clock() + longest > claimed.until:
            # This process was stopped, or starved: by the time of an answer the delivery may be another's.
            logger.warning("the claim of %s is too old to be used", claimed.delivery_id)
            return
        try:
            async with asyncio.timeout(longest.total_seconds()):
                attempt = await self._send(claimed)
        except TimeoutError:
            milliseconds = int(longest.total_seconds() * 1000)
            attempt = Attempt(answer=Answer.LOST, error_class="timeout", duration_ms=milliseconds)
        self._on_attempt(claimed.kind, attempt)
        await self._record(claimed, attempt)

    async def _record(self, claimed: Claimed, attempt: Attempt) -> None:
        at = self._clock()
        for left in reversed(range(_RECORD_TRIES)):
            try:
                async with self._pool.connection() as connection, connection.transaction():
                    await record(connection, claimed, attempt, at=at, limits=self._limits)
                return
            except TROUBLE as error:
                if left == 0 or self._stopping:
                    raise
                logger.warning("the end of %s is not recorded yet: %s", claimed.delivery_id, error)
                await asyncio.sleep(_AFTER_TROUBLE.total_seconds() / 4)

    async def _send(self, claimed: Claimed) -> Attempt:
        sender = self._senders.get(claimed.kind)
        if sender is None:
            return MISCONFIGURED
        row = claimed.row
        try:
            credentials = self._destinations.open(row.workspace_id, row.channel_id, claimed.key_id, claimed.sealed)
        except ValueError:
            return MISCONFIGURED
        return await sender.send(credentials, claimed.telling, delivery_id=claimed.delivery_id)
