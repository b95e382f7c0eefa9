"""A TCP relay on loopback that delivers every byte late: a long line in front of a real server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


def accepting(
    target_port: int, *, round_trip_seconds: float
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What `asyncio.start_server` calls for each connection to such a relay."""

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await asyncio.sleep(round_trip_seconds / 2)
                sink.write(data)
                await sink.drain()
            await asyncio.sleep(round_trip_seconds / 2)
        sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(round_trip_seconds)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    return accept


@contextmanager
def slow_link(target_port: int, *, round_trip_seconds: float) -> Iterator[int]:
    """The port of a relay to `127.0.0.1:target_port` that takes half the round trip in each direction.

    The kernel answers the connect itself at once; the round trip that it takes over a real line comes before the
    first byte in either direction instead.
    """
    loop = asyncio.new_event_loop()
    started: threading.Event = threading.Event()
    ports: list[int] = []
    over = asyncio.Event()

    async def serve() -> None:
        accept = accepting(target_port, round_trip_seconds=round_trip_seconds)
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        await over.wait()
        server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    if not started.wait(10):
        raise TimeoutError("the relay did not start")
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(5)
