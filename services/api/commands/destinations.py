"""Where a channel may lead, and how that is shown without what is secret in it. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from services.api.problems import invalid
from services.api.webhooks import BadWebhookUrl, check_egress, shown_destination
from vigilo.adapters.channel_credentials import (
    PAGERDUTY_HOSTS,
    AlertmanagerCredentials,
    Credentials,
    EmailCredentials,
    PagerDutyCredentials,
    SlackCredentials,
    WebhookCredentials,
)
from vigilo.adapters.egress import DeliveryEgress, EgressDenied, Grant
from vigilo.events.hostnames import is_ip_literal

# Source: Slack, "Sending messages using incoming webhooks"; GovSlack has a domain of its own.
_SLACK: Final = ("hooks.slack.com", "hooks.slack-gov.com")


def shown(kept: Credentials) -> str:
    """Where it leads, for anybody of the workspace to read."""
    match kept:
        case WebhookCredentials() | SlackCredentials() | AlertmanagerCredentials():
            return shown_destination(kept.url)
        case PagerDutyCredentials():
            where = PAGERDUTY_HOSTS[kept.region] if kept.url is None else shown_destination(kept.url)
            return f"{where} ({kept.region})"
        case EmailCredentials():
            more = f" +{len(kept.to) - 1}" if len(kept.to) > 1 else ""
            return _shown_address(kept.to[0]) + more


def check(kept: Credentials, egress: DeliveryEgress, *, smtp_host: str | None) -> None:
    """Raises a 422 problem for a destination nothing would ever be sent to."""
    if isinstance(kept, EmailCredentials):
        if smtp_host is None:
            raise invalid(
                "kind",
                "this installation sends no e-mail: VIGILO_SMTP_HOST is not set",
                "another kind, until the operator names a mail server",
            )
    elif kept.url is not None:
        _check_url(kept.url, egress)
        if isinstance(kept, SlackCredentials):
            _check_slack(kept.url, egress)


def _check_url(url: str, egress: DeliveryEgress) -> None:
    try:
        check_egress(url, egress)
    except BadWebhookUrl as error:
        raise invalid("url", error.reason, error.allowed) from error


def _check_slack(url: str, egress: DeliveryEgress) -> None:
    parts = urlsplit(url)
    if parts.hostname in _SLACK:
        if parts.scheme != "https" or parts.port is not None or not parts.path.startswith("/services/"):
            raise invalid("url", "it is no incoming webhook of Slack", "https://hooks.slack.com/services/T.../B.../...")
    elif not _granted(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), egress):
        allowed = (
            "https://hooks.slack.com/services/T.../B.../..., or an address the operator allows (VIGILO_DELIVERY_ALLOW)"
        )
        raise invalid("url", f"{parts.hostname} is not Slack", allowed)


def _granted(host: str, port: int, egress: DeliveryEgress) -> bool:
    """True where the operator lets messages go besides the public Internet; of a name only its port can be known."""
    grants: tuple[Grant, ...] = egress.allow
    if not is_ip_literal(host) and host != "localhost":
        return any(grant.port in {None, port} for grant in grants)
    try:
        egress.check("127.0.0.1" if host == "localhost" else host, port, encrypted=False)
    except EgressDenied:
        return False
    return True


def _shown_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
