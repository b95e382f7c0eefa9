"""Webhooks as the worker sends them until it knows of kinds: one signed request."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from uuid import UUID

from services.notifier.channels.webhook import signed_headers
from services.notifier.delivery import Answer, Attempt
from services.notifier.http import HttpPoster
from vigilo.adapters.egress import DeliveryEgress


class WebhookSender:
    """Signs and posts."""

    def __init__(self, egress: DeliveryEgress, *, tls: ssl.SSLContext | None = None) -> None:
        self._poster = HttpPoster(egress, tls=tls)

    async def close(self) -> None:
        """Closes the pool."""
        await self._poster.close()

    async def send(self, url: str, body: bytes, *, delivery_id: UUID, secret: str) -> Attempt:
        """One attempt. Every end of it is an Attempt; raises nothing but cancellation."""
        try:
            headers = signed_headers(body, delivery_id=delivery_id, secret=secret, at=datetime.now(UTC))
        except ValueError:
            return Attempt(answer=Answer.REFUSED, error_class="misconfigured")
        return await self._poster.post(url, body, headers)
