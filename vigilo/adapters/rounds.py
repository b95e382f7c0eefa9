"""Work that is done again and again, with a pause in between, whatever trouble one round meets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn


async def repeat(
    work: Callable[[], Awaitable[object]],
    *,
    pause_seconds: float,
    trouble: tuple[type[Exception], ...],
    complaint: str,
    logger: logging.Logger,
) -> NoReturn:
    """Works until cancelled. `trouble` is logged after `complaint` and left to the next round; all else is raised."""
    while True:
        try:
            await work()
        except trouble as error:
            logger.warning("%s: %s", complaint, error)
        await asyncio.sleep(pause_seconds)
