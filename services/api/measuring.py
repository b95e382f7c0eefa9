"""How long requests take, by route: the template of its path, never the path itself."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigilo.adapters.metrics import Metrics

# Probes ask every few seconds; their figures would hide those of people.
_NOT_MEASURED = frozenset({"/healthz", "/readyz", "/metrics"})
# A stream lasts as long as its reader wants, which says nothing of how quick we are.
_STREAM = (b"content-type", b"text/event-stream")
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"})


class Measured:
    """ASGI middleware that fills `vigilo_http_request_seconds{method, route, status}`."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._seconds = metrics.histogram(
            "vigilo_http_request_seconds", "From the request's head to the answer's end.", ["method", "route", "status"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it went."""
        if scope["type"] != "http" or scope["path"] in _NOT_MEASURED:
            await self._app(scope, receive, send)
            return
        began, status, endless = perf_counter(), 500, False

        async def noting(message: Message) -> None:
            nonlocal status, endless
            if message["type"] == "http.response.start":
                status = message["status"]
                endless = any((name, value[:17]) == _STREAM for name, value in message["headers"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            if not endless:
                self._seconds.labels(method, route_of(scope), str(status)).observe(perf_counter() - began)


def route_of(scope: Scope) -> str:
    """The template of the matched route, `none` if there was no such address."""
    return str(getattr(scope.get("route"), "path", None) or "none")
