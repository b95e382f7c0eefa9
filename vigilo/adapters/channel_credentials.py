"""What is sealed for a channel, as JSON: one model per kind, written by the API, read by the notifier alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.rules import ChannelKind

# By service region. Source: PagerDuty, "Events API overview" and "Service regions".
PAGERDUTY_HOSTS: Mapping[str, str] = MappingProxyType({"us": "events.pagerduty.com", "eu": "events.eu.pagerduty.com"})


class _Credentials(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WebhookCredentials(_Credentials):
    """Where to send, and the signing secret (`whsec_<base64>`)."""

    url: str = Field(repr=False)
    secret: str = Field(repr=False)


class SlackCredentials(_Credentials):
    """An incoming webhook: whoever has its URL may write."""

    url: str = Field(repr=False)


class PagerDutyCredentials(_Credentials):
    """An Events API v2 integration: its key (32 characters) and the service region its account lives in."""

    routing_key: str = Field(repr=False)
    region: Literal["us", "eu"] = "us"
    # Set by tests and by those who stand a relay in between; null = the region's own address.
    url: str | None = None


class EmailCredentials(_Credentials):
    """Who gets the mail. The mail server is the operator's (VIGILO_SMTP_...)."""

    to: tuple[str, ...] = Field(min_length=1, max_length=50, repr=False)


class AlertmanagerCredentials(_Credentials):
    """The base URL of an Alertmanager (`/api/v2/alerts` is added), and how it wants to be asked."""

    url: str = Field(repr=False)
    username: str | None = Field(default=None, repr=False)
    password: str | None = Field(default=None, repr=False)
    bearer_token: str | None = Field(default=None, repr=False)


Credentials = WebhookCredentials | SlackCredentials | PagerDutyCredentials | EmailCredentials | AlertmanagerCredentials

CREDENTIALS: Mapping[ChannelKind, type[Credentials]] = MappingProxyType(
    {
        ChannelKind.WEBHOOK: WebhookCredentials,
        ChannelKind.SLACK: SlackCredentials,
        ChannelKind.PAGERDUTY: PagerDutyCredentials,
        ChannelKind.EMAIL: EmailCredentials,
        ChannelKind.ALERTMANAGER: AlertmanagerCredentials,
    }
)
