"""One sender per kind of channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
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


def senders(
    settings: NotifierSettings, poster: HttpPoster, *, clock: Callable[[], datetime]
) -> Mapping[ChannelKind, ChannelSender]:
    """The senders; those that speak HTTP share the poster, which the caller closes."""
    url = settings.public_url
    return MappingProxyType(
        {
            ChannelKind.WEBHOOK: WebhookChannel(poster, public_url=url, clock=clock),
            ChannelKind.SLACK: SlackChannel(poster, public_url=url),
            ChannelKind.PAGERDUTY: PagerDutyChannel(poster, public_url=url),
            ChannelKind.EMAIL: EmailChannel(settings, settings.delivery_egress(), public_url=url, tls=settings.tls()),
            ChannelKind.ALERTMANAGER: AlertmanagerChannel(poster, public_url=url, clock=clock),
        }
    )
