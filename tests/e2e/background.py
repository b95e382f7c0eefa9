"""Runs a fake server's event loop in a thread, for tests that are plain functions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def background(serving: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What `serving` yields, served by a thread as long as the block lasts; requests under way are cancelled then."""
    made: list[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        over = asyncio.Event()
        async with serving as served:
            made.append((served, asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    ((served, loop, over),) = made
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
