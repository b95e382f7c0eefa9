"""Hears the notifications of committed changes, on one connection of its own, for as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import psycopg
from psycopg import sql

from services.api.live.feed import Feed
from services.api.live.notices import CHANNEL, BadNotice, parsed
from vigilo.adapters.postgres import connect

logger = logging.getLogger("vigilo.api.live")

_PAUSES: Final = (0.1, 0.5, 1.0, 2.0)
# A connection that died without a word is noticed by asking it something.
_PROVE_SECONDS: Final = 10.0


async def listen(url: str, feed: Feed) -> None:
    """Listens until cancelled; a lost connection is made again, and followers are told to look at everything again."""
    failures = 0
    while True:
        try:
            async with await connect(url, name="vigilo-api-live") as connection:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
                feed.interrupted()
                failures = 0
                while True:
                    async for notification in connection.notifies(timeout=_PROVE_SECONDS):
                        _hear(feed, notification.payload)
                    await connection.execute("")
        except (psycopg.Error, OSError) as error:
            logger.warning("changes are not heard now: %s", error)
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1


def _hear(feed: Feed, payload: str) -> None:
    try:
        feed.hear(parsed(payload))
    except BadNotice as error:
        # Whoever may connect to the database may notify; what was meant is not known, so everybody looks again.
        logger.error("a notification that is none of ours: %s", error)
        feed.interrupted()
