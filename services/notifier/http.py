"""One HTTP request to one address that the egress policy has checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit

import httpx

from services.notifier.addresses import checked_address
from services.notifier.delivery import Answer, Attempt, answer_of, retry_after
from vigilo.adapters.egress import DeliveryEgress, EgressDenied

REQUEST_TIMEOUT = timedelta(seconds=15)
_ANSWER_BYTES = 64 * 1024  # so much of an answer is read
_SAID_BYTES = 2048  # so much of it is looked at, and nothing of it kept
_PORTS = {"https": 443, "http": 80}

Meaning = Callable[[int, bytes], Answer]
"""What a receiver's status and the first bytes of its answer mean."""


class HttpPoster:
    """Posts bodies, each on its own connection. A name is resolved once, checked, and that address connected to."""

    def __init__(self, egress: DeliveryEgress, *, tls: ssl.SSLContext | None = None) -> None:
        self._egress = egress
        self._client = httpx.AsyncClient(
            verify=tls or ssl.create_default_context(),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(REQUEST_TIMEOUT.total_seconds()),
            # The pool knows connections by address alone: a kept one may have been verified for another name.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Closes the pool."""
        await self._client.aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, meaning: Meaning = answer_of) -> Attempt:
        """One attempt; every end of it is an Attempt. Raises nothing but cancellation."""
        started = monotonic()
        try:
            scheme, host, port = _target(url)
            address = await checked_address(self._egress, host, port, encrypted=scheme == "https")
            request = self._request(url, address, body, headers)
        except (OSError, EgressDenied, ValueError, httpx.InvalidURL) as error:
            return ended(Answer.REFUSED, unsendable(error), started)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT.total_seconds()):
                return await self._answer(request, meaning, started)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return ended(Answer.REFUSED, _connect_error(error), started)
        except (httpx.HTTPError, OSError) as error:
            timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)
            return ended(Answer.LOST, "timeout" if timed_out else "connection-lost", started)

    def _request(self, url: str, address: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
        parts = urlsplit(url)
        literal = f"[{address}]" if ":" in address else address
        extensions = {"sni_hostname": parts.hostname or ""} if parts.scheme == "https" else {}
        return self._client.build_request(
            "POST",
            httpx.URL(url).copy_with(host=literal),
            content=body,
            headers={**headers, "host": parts.netloc.rpartition("@")[2], "accept-encoding": "identity"},
            extensions={**extensions, "timeout": httpx.Timeout(REQUEST_TIMEOUT.total_seconds()).as_dict()},
        )

    async def _answer(self, request: httpx.Request, meaning: Meaning, started: float) -> Attempt:
        answer = await self._client.send(request, stream=True)
        try:
            seen, said = 0, b""
            async for chunk in answer.aiter_raw():
                seen += len(chunk)
                said += chunk[: _SAID_BYTES - len(said)]
                if seen > _ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        kind = meaning(answer.status_code, said)
        return Attempt(
            answer=kind,
            http_status=answer.status_code,
            error_class=None if kind is Answer.ACCEPTED else f"http-{answer.status_code}",
            retry_after=retry_after(answer.headers.get("retry-after"), at=datetime.now(UTC)),
            duration_ms=since(started),
        )


def _target(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"not a web address: {parts.scheme}")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


def unsendable(error: Exception) -> str:
    """Why nothing was sent, as a word for the ledger."""
    if isinstance(error, EgressDenied):
        return "egress-denied"
    return "dns" if isinstance(error, OSError) else "misconfigured"


def _connect_error(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "connect-timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "connect"


def ended(answer: Answer, error_class: str, started: float) -> Attempt:
    """An attempt that ended without a status; `started` is monotonic."""
    return Attempt(answer=answer, error_class=error_class, duration_ms=since(started))


def since(started: float) -> int:
    """Milliseconds since the monotonic moment."""
    return int((monotonic() - started) * 1000)
