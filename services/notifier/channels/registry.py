"""One sender per kind of channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from services.notifier.channels.channel import ChannelSender
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.http import HttpPoster
from services.notifier.settings import NotifierSettings
from vigilo.events.rules import ChannelKind


def senders(settings: NotifierSettings) -> Mapping[ChannelKind, ChannelSender]:
    """The senders, sharing one client for HTTP. Close every one of them at the end."""
    poster = HttpPoster(settings.delivery_egress(), tls=settings.tls())
    return MappingProxyType(
        {
            ChannelKind.WEBHOOK: WebhookChannel(poster, public_url=settings.public_url, clock=utc_now),
        }
    )


def utc_now() -> datetime:
    """The wall clock, UTC-aware."""
    return datetime.now(UTC)
