"""What is settled around every route: whose Host header is answered, how long a body may be, who may keep the answer.

A page of some web site whose name was pointed at our loopback address (DNS rebinding) sends its own name as Host.
Source: RFC 9110 section 7.2 and 15.5.20 (421 Misdirected Request).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import Problem, answer

BODY_MAX: Final = 256 * 1024
# Asked by machines that know us by address only (probes, scrapers); none of them shows or changes anything of a person.
_FOR_MACHINES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class FrontDoor:
    """ASGI middleware; `hosts` are lower-case names without port, `*` for any."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], body_max: int = BODY_MAX) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._body_max = body_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or let the request in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        problem = self._misdirected(request) or self._too_long(request)
        if problem is not None:
            await answer(request, problem)(scope, receive, _guarded(send))
            return
        await self._app(scope, _counted(receive, self._body_max), _guarded(send))

    def _misdirected(self, request: Request) -> Problem | None:
        if "*" in self._hosts or request.url.path in _FOR_MACHINES:
            return None
        if host_name(request.headers.get("host", "")) in self._hosts:
            return None
        detail = "This server does not answer to that name (Host header). Operators list names in VIGILO_ALLOWED_HOSTS."
        return Problem(421, "misdirected-request", detail)

    def _too_long(self, request: Request) -> Problem | None:
        declared = request.headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:12]) > self._body_max:
            return _body_too_long(self._body_max)
        return None


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without port; brackets of an IPv6 address stay."""
    lowered = header.strip().lower()
    if lowered.startswith("["):
        return lowered.partition("]")[0] + "]"
    return lowered.partition(":")[0].removesuffix(".")


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            # What a workspace sees is kept by nobody on the way, unless a route knows better.
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return guarded


def _counted(receive: Receive, most: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            # The one exception that FastAPI lets through while it reads a body.
            raise HTTPException(413, _body_too_long(most).detail)
        return message

    return counted


def _body_too_long(most: int) -> Problem:
    return Problem(413, "body-too-long", f"A body may have {most} bytes at most.")
