"""A real HTTP receiver on loopback that answers as it is told and remembers what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.http_server import serving

Answer = Callable[["Received"], web.Response | None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    webhook_id: str
    headers: dict[str, str]
    body: bytes
    client_port: int = 0


@dataclass
class Receiver:
    """What came in. `answer` decides each response; None hangs until the client gives up."""

    url: str = ""
    answer: Answer = lambda _: web.Response(status=204)
    requests: list[Received] = field(default_factory=list)

    def ids(self) -> list[str]:
        """Delivery ids in the order in which they were first seen."""
        return list(dict.fromkeys(one.webhook_id for one in self.requests))

    async def until(self, condition: Callable[[Receiver], bool], *, seconds: float = 20) -> None:
        """Waits until the condition holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition(self):  # noqa: ASYNC110 - requests arrive from outside
                await asyncio.sleep(0.02)


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback for as long as the block lasts."""
    receiver = Receiver()

    async def handle(request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport is not None else ("", 0)
        got = Received(request.headers.get("webhook-id", ""), dict(request.headers), await request.read(), peer[1])
        receiver.requests.append(got)
        answer = receiver.answer(got)
        if answer is None:
            await asyncio.sleep(60)
        return answer or web.Response(status=500)

    async with serving({"/hook": handle}, port=port) as base:
        receiver.url = f"{base}/hook"
        yield receiver
