"""What the worker needs of a kind of channel."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from services.notifier.delivery import Attempt
from services.notifier.tellings import Telling


class ChannelSender(Protocol):
    """Puts tellings into one kind's form and sends them."""

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt. `credentials` is the opened secret (vigilo.adapters.channel_credentials), as JSON.

        Every end of it is an Attempt; raises nothing but cancellation.
        """
        ...
