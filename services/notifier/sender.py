"""One signed HTTP request to one address that the egress policy has checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from services.notifier.channels.webhook import signed_headers
from services.notifier.delivery import Answer, Attempt, answer_of, retry_after
from vigilo.adapters.egress import DeliveryEgress, EgressDenied

REQUEST_TIMEOUT = timedelta(seconds=15)
_DNS_TIMEOUT_SECONDS = 5.0
_ANSWER_BYTES = 64 * 1024  # what a receiver says beyond its status is thrown away; this much of it is read
_HTTPS_PORT = 443
_HTTP_PORT = 80


class WebhookSender:
    """Sends webhooks, each on its own connection. A name is resolved once, checked, and that address connected to."""

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

    async def send(self, url: str, body: bytes, *, delivery_id: UUID, secret: str) -> Attempt:
        """One attempt. Every end of it is an Attempt; raises nothing but cancellation."""
        started = monotonic()
        try:
            address = await self._checked_address(url)
            headers = signed_headers(body, delivery_id=delivery_id, secret=secret, at=datetime.now(UTC))
        except (OSError, EgressDenied, ValueError) as error:
            return _ended(Answer.REFUSED, _unsendable(error), started)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT.total_seconds()):
                return await self._post(url, address, body, headers, started)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _ended(Answer.REFUSED, _connect_error(error), started)
        except (httpx.HTTPError, OSError) as error:
            timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)
            return _ended(Answer.LOST, "timeout" if timed_out else "connection-lost", started)

    async def _post(self, url: str, address: str, body: bytes, headers: dict[str, str], started: float) -> Attempt:
        parts = urlsplit(url)
        host = parts.hostname or ""
        literal = f"[{address}]" if ":" in address else address
        target = httpx.URL(url).copy_with(host=literal)
        extensions = {"sni_hostname": host} if parts.scheme == "https" else {}
        request = self._client.build_request(
            "POST",
            target,
            content=body,
            headers={**headers, "host": parts.netloc.rpartition("@")[2]},
            extensions={**extensions, "timeout": httpx.Timeout(REQUEST_TIMEOUT.total_seconds()).as_dict()},
        )
        answer = await self._client.send(request, stream=True)
        try:
            seen = 0
            async for chunk in answer.aiter_raw():
                seen += len(chunk)
                if seen > _ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        wait = retry_after(answer.headers.get("retry-after"), at=datetime.now(UTC))
        kind = answer_of(answer.status_code)
        return Attempt(
            answer=kind,
            http_status=answer.status_code,
            error_class=None if kind is Answer.ACCEPTED else f"http-{answer.status_code}",
            retry_after=wait,
            duration_ms=_since(started),
        )

    async def _checked_address(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not a web address: {parts.scheme}")
        port = parts.port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_DNS_TIMEOUT_SECONDS):
            found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:  # every answer must be allowed: a mixed answer is a rebinding attempt
            self._egress.check(address, port, encrypted=parts.scheme == "https")
        return addresses[0]


def _unsendable(error: Exception) -> str:
    if isinstance(error, EgressDenied):
        return "egress-denied"
    return "misconfigured" if isinstance(error, ValueError) else "dns"


def _connect_error(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "connect-timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "connect"


def _ended(answer: Answer, error_class: str, started: float) -> Attempt:
    return Attempt(answer=answer, error_class=error_class, duration_ms=_since(started))


def _since(started: float) -> int:
    return int((monotonic() - started) * 1000)
