"""A relay on loopback that behaves as the internet does on a bad day; the server behind it stays as it is.

Packets are not really lost, which takes rights that tests do not have (`tc netem`). What a peer sees of loss is: a lost
SYN comes again after a second, lost data after some 300 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field

_RESET = struct.pack("ii", 1, 0)
_SYN_AGAIN_SECONDS = 1.0
_DATA_AGAIN_SECONDS = 0.3


@dataclass(slots=True)
class Weather:
    """Chances, each of one connection but `loss`, which is each packet's. `at_once`: more connections are reset.

    `tally` counts what has been done to connections.
    """

    chance: random.Random
    loss: float = 0.0
    resets: float = 0.0
    stalls: float = 0.0
    stall_seconds: float = 3.0
    at_once: int | None = None
    tally: dict[str, int] = field(default_factory=dict)

    def happens(self, what: str, share: float) -> bool:
        """Whether it happens now; counted if so."""
        if self.chance.random() >= share:
            return False
        self.count(what)
        return True

    def count(self, what: str) -> None:
        """Once more."""
        self.tally[what] = self.tally.get(what, 0) + 1


@dataclass(slots=True)
class BadLine:
    """Use as an async context manager. `renew` begins another scan: the throttle counts the connections of one."""

    target_port: int
    weather: Weather
    dead: bool = False
    port: int = 0
    _since_renewed: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> BadLine:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    def renew(self) -> None:
        """Time has passed: the throttle has forgotten us."""
        self._since_renewed = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.weather.count("connections")
        self._since_renewed += 1
        if self.dead or self._is_throttled() or self.weather.happens("reset at once", self.weather.resets / 2):
            _reset(writer)
            return
        with contextlib.suppress(OSError):
            await self._carry(reader, writer)
        writer.close()

    def _is_throttled(self) -> bool:
        if self.weather.at_once is None or self._since_renewed <= self.weather.at_once:
            return False
        self.weather.count("throttled")
        return True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.happens("lost SYN", self.weather.loss):
            await asyncio.sleep(_SYN_AGAIN_SECONDS)
        resets = self.weather.happens("reset later", self.weather.resets / 2)
        stall = self.weather.stall_seconds if self.weather.happens("stall", self.weather.stalls) else 0.0
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        there = asyncio.create_task(self._pump(reader, far_writer))
        await self._pump(far_reader, writer, stall=stall, resets=resets)
        far_writer.close()
        await there

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, stall: float = 0.0, resets: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if resets:
                    _reset(sink)
                    return
                lost = self.weather.happens("lost data", self.weather.loss)
                await asyncio.sleep(stall + (_DATA_AGAIN_SECONDS if lost else 0.0))
                stall = 0.0
                sink.write(data)
                await sink.drain()
        # Who has said everything hangs up, and so do we at the other end.
        sink.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket | None = writer.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.close()
