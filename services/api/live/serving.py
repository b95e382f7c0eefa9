"""A server whose event streams end the moment it is told to end, instead of keeping it until its patience is over."""

from __future__ import annotations

import socket

import uvicorn

from services.api.live.feed import Feed


class StreamingServer(uvicorn.Server):
    """uvicorn waits for open requests before the app hears of the end; streams would never end by themselves."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then as always."""
        self._feed.end()
        await super().shutdown(sockets)
