"""One follower's Server-Sent Events.

Source: WHATWG HTML, 9.2 Server-sent events (`id`, `event`, `data`, `retry`, comments).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from uuid import UUID

import psycopg
from fastapi import Response
from psycopg_pool import PoolTimeout
from starlette.types import Receive, Scope, Send

from services.api.live.feed import Feed, FeedEnded, Subscription, Told, TooManyStreams
from services.api.problems import Problem

logger = logging.getLogger("vigilo.api.live")

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 10.0
_CHECK_LIMIT_SECONDS: Final = 5.0
# Whether the caller may still follow is not known for longer than this: then the stream ends.
_UNCHECKED_SECONDS: Final = 20.0
_STALLED_SECONDS: Final = 60.0
_RETRY: Final = b"retry: 2000\n\n"
_HEARTBEAT: Final = b": still here\n\n"

# True while the caller may follow. Raises psycopg.Error, PoolTimeout when that cannot be found out.
Allowed = Callable[[], Awaitable[bool]]


def rendered(told: Iterable[Told]) -> bytes:
    """The events as they are sent; their data is JSON on one line."""
    return "".join(f"id: {one.position}\nevent: {one.kind}\ndata: {one.data}\n\n" for one in told).encode()


class EventStream(Response):
    """Sends until the follower leaves, may no longer follow, takes nothing for a minute, or the feed ends.

    Raises, before anything is sent, a 429 problem for a caller with too many streams and a 503 problem at the end.
    """

    media_type = MEDIA_TYPE

    def __init__(self, feed: Feed, workspace_id: UUID, caller: str, *, after: str | None, allowed: Allowed) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._workspace_id = workspace_id
        self._caller = caller
        self._after = after
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send."""
        subscription = self._subscribed()
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _first_of(
                _write(subscription, send),
                _until_gone(receive),
                _until_forbidden(self._allowed),
                _until_set(subscription.ended),
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._feed.leave(self._workspace_id, self._caller, subscription)

    def _subscribed(self) -> Subscription:
        try:
            return self._feed.subscribe(self._workspace_id, self._caller, after=self._after)
        except FeedEnded:
            raise Problem(
                503, "ending", "This server is about to end; ask again.", headers={"Retry-After": "2"}
            ) from None
        except TooManyStreams as error:
            whose = "You have" if error.by_caller else "This server has"
            detail = f"{whose} as many open event streams as allowed. Close one, or share one among your readers."
            raise Problem(429, "too-many-streams", detail, headers={"Retry-After": "30"}) from error


async def _write(subscription: Subscription, send: Send) -> None:
    body = _RETRY
    while True:
        async with asyncio.timeout(_STALLED_SECONDS):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        body = rendered(await subscription.take(HEARTBEAT_SECONDS)) or _HEARTBEAT


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_set(event: asyncio.Event) -> None:
    await event.wait()


async def _until_forbidden(allowed: Allowed) -> None:
    known = monotonic()
    while monotonic() - known < _UNCHECKED_SECONDS:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            async with asyncio.timeout(_CHECK_LIMIT_SECONDS):
                if not await allowed():
                    return
            known = monotonic()
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            logger.warning("whether a follower may go on is not known: %s", error)


async def _first_of(*work: Coroutine[Any, Any, None]) -> None:
    """Returns when the first of them ends, however it ends; the others are cancelled."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if (error := task.exception()) is not None and not isinstance(error, TimeoutError | OSError):
            raise error
