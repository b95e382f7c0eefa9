"""One sender per kind of channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from services.notifier.channels.alertmanager import AlertmanagerChannel
from services.notifier.channels.channel import ChannelSender
from services.notifier.channels.pagerduty import PagerDutyChannel
from services.notifier.channels.slack import SlackChannel
from services.notifier.channels.smtp import EmailChannel
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.http import HttpPoster
from services.notifier.settings import NotifierSettings
from vigilo.events.rules import ChannelKind


def senders(settings: NotifierSettings) -> Mapping[ChannelKind, ChannelSender]:
    """The senders, sharing one client for HTTP. Close every one of them at the end."""
    egress, tls, public_url = settings.delivery_egress(), settings.tls(), settings.public_url
    poster = HttpPoster(egress, tls=tls)
    return MappingProxyType(
        {
            ChannelKind.WEBHOOK: WebhookChannel(poster, public_url=public_url, clock=utc_now),
            ChannelKind.SLACK: SlackChannel(poster, public_url=public_url),
            ChannelKind.PAGERDUTY: PagerDutyChannel(poster, public_url=public_url),
            ChannelKind.EMAIL: EmailChannel(settings, egress, public_url=public_url, tls=tls),
            ChannelKind.ALERTMANAGER: AlertmanagerChannel(poster, public_url=public_url, clock=utc_now),
        }
    )


def utc_now() -> datetime:
    """The wall clock, UTC-aware."""
    return datetime.now(UTC)
