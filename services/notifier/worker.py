"""Works through the ledger: claim, send, record. Several workers, in one process or many, share it safely."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from services.notifier import ledger
from services.notifier.channels.webhook import encode_body
from services.notifier.delivery import Answer, Attempt, Verdict, judge
from services.notifier.records import Claimed
from vigilo.adapters.postgres import Pool
from vigilo.events.deliveries import DeliveryStatus

logger = logging.getLogger("vigilo.notifier.worker")

IN_FLIGHT: Final = 20
CHANNEL_CLOSED: Final = "channel-closed"  # disabled, deleted, or answered 410 Gone
_SHORTEST_WAIT: Final = timedelta(milliseconds=500)
_LONGEST_WAIT: Final = timedelta(seconds=30)
_AFTER_TROUBLE: Final = timedelta(seconds=2)


class Sender(Protocol):
    """Sends one message."""

    async def send(self, url: str, body: bytes, *, delivery_id: UUID, secret: str) -> Attempt:
        """One attempt; every end of it is an Attempt."""
        ...


class Destinations(Protocol):
    """Opens the sealed part of a channel."""

    def open(self, claimed: Claimed) -> tuple[str, str]:
        """(url, secret). Raises ValueError when it cannot be opened."""
        ...


class Worker:
    """Sends what is due. `wake` tells it that the ledger has something new."""

    def __init__(
        self,
        pool: Pool,
        sender: Sender,
        destinations: Destinations,
        *,
        clock: Callable[[], datetime],
        on_attempt: Callable[[Attempt], None] = lambda _: None,
        on_recorded: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._destinations = destinations
        self._clock = clock
        self._on_attempt = on_attempt
        self._on_recorded = on_recorded
        self._wake = asyncio.Event()
        self._stopping = False
        self._slots = asyncio.Semaphore(IN_FLIGHT)
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
            wait = await self._round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._wake.wait()
            self._wake.clear()
        if self._attempts:
            await asyncio.wait(self._attempts)

    async def _round(self) -> timedelta:
        try:
            while not self._stopping and (claimed := await self._claim()):
                for delivery in claimed:
                    await self._slots.acquire()
                    self._start(delivery)
            return await self._pause()
        except (OperationalError, PoolTimeout) as error:
            logger.warning("the ledger does not answer: %s", error)
            return _AFTER_TROUBLE

    def _start(self, delivery: Claimed) -> None:
        task = asyncio.create_task(self._attempt(delivery))
        self._attempts.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._slots.release()
        # The next transition of the same alert may have waited for this one.
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The claim runs out by itself and the attempt is made again, with the same webhook-id.
            logger.warning("an attempt could not be recorded: %s", error)

    async def _claim(self) -> list[Claimed]:
        async with self._pool.connection() as connection, connection.transaction():
            return await ledger.claim(connection, now=self._clock(), limit=IN_FLIGHT)

    async def _pause(self) -> timedelta:
        async with self._pool.connection() as connection:
            due = await ledger.next_due(connection)
        if due is None:
            return _LONGEST_WAIT
        return min(max(due - self._clock(), _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _attempt(self, claimed: Claimed) -> None:
        attempt = await self._send(claimed)
        self._on_attempt(attempt)
        now = self._clock()
        verdict = self._judge(claimed, attempt, now=now)
        async with self._pool.connection() as connection, connection.transaction():
            await ledger.record(connection, claimed, attempt, verdict, at=now)
        self._on_recorded()

    async def _send(self, claimed: Claimed) -> Attempt:
        if not claimed.channel_open:
            return Attempt(answer=Answer.REFUSED, error_class=CHANNEL_CLOSED)
        try:
            url, secret = self._destinations.open(claimed)
        except ValueError:
            return Attempt(answer=Answer.REFUSED, error_class="misconfigured")
        body = encode_body(claimed.message)
        return await self._sender.send(url, body, delivery_id=claimed.delivery_id, secret=secret)

    def _judge(self, claimed: Claimed, attempt: Attempt, *, now: datetime) -> Verdict:
        if attempt.error_class == CHANNEL_CLOSED:
            return Verdict(DeliveryStatus.FAILED, None, maybe_received=claimed.maybe_received)
        return judge(
            attempt,
            number=claimed.attempt,
            delivery_id=claimed.delivery_id,
            maybe_received=claimed.maybe_received,
            at=now,
        )
