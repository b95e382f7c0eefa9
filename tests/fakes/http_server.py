"""One way to run a fake HTTP server: on loopback, quiet, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(
    handlers: Mapping[str, Handler], *, method: str = "POST", port: int = 0, largest: int = 1024**2
) -> AsyncIterator[str]:
    """Serves `handlers` by path; bodies beyond `largest` bytes get 413. Yields the base URL, without a slash."""
    app = web.Application(client_max_size=largest)
    for path, handler in handlers.items():
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
