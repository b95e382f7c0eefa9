"""What a scan is doing, on standard error of a terminal, while a person waits; gone when it is done."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.text import Text

from vigilo.events.text import visible

_EVERY_SECONDS = 0.1


def words(where: str, *, connections: int, seconds: float, full: bool) -> str:
    """`a.test:443: asking what it accepts, 23 connections, 0.8 s`."""
    if connections == 0:
        doing = "looking up the name"
    elif connections <= 2 or not full:
        doing = "shaking hands"
    else:
        doing = f"asking what it accepts, {connections} connections"
    return f"{visible(where)}: {doing}, {seconds:.1f} s"


@asynccontextmanager
async def progress(where: str, *, connections: Callable[[], int], full: bool) -> AsyncIterator[None]:
    """Shows and refreshes the line; nothing at all where standard error is no terminal."""
    console = Console(stderr=True, highlight=False, emoji=False, markup=False)
    if not (console.is_terminal and sys.stderr.isatty()) or console.is_dumb_terminal:
        yield
        return
    loop = asyncio.get_running_loop()
    begun = loop.time()

    def line() -> Text:
        return Text(words(where, connections=connections(), seconds=loop.time() - begun, full=full), "dim")

    async def refresh() -> None:
        while True:
            status.update(line())
            await asyncio.sleep(_EVERY_SECONDS)

    with console.status(line()) as status:
        refreshing = asyncio.create_task(refresh())
        try:
            yield
        finally:
            refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await refreshing
