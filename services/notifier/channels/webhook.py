"""Generic webhooks as Standard Webhooks has them: body {type, timestamp, data}, HMAC-SHA256 over id, time and body."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook

from services.notifier.channels.links import Pages, runbook
from services.notifier.channels.shrinking import encoded, fitted
from services.notifier.channels.wording import who
from services.notifier.delivery import MISCONFIGURED, Attempt
from services.notifier.http import HttpPoster
from services.notifier.tellings import DigestTelling, NoticeTelling, Telling, TestTelling, TransitionTelling
from vigilo.adapters.channel_credentials import WebhookCredentials
from vigilo.events.alerts import AlertTransition
from vigilo.events.codec import ce_time

USER_AGENT: Final = "Vigilo/0.1"
BODY_MAX: Final = 20_000  # Standard Webhooks, "Payload": keep it under 20 kB
_ENVELOPE_BYTES: Final = 6_000  # links and what stands around the data


class WebhookChannel:
    """Signs and posts."""

    def __init__(self, poster: HttpPoster, *, public_url: str, clock: Callable[[], datetime]) -> None:
        self._poster = poster
        self._public_url = public_url
        self._clock = clock

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt; the timestamp is this attempt's, the id the delivery's."""
        body = encode_body(render(telling, public_url=self._public_url))
        try:
            opened = WebhookCredentials.model_validate_json(credentials)
            headers = signed_headers(body, delivery_id=delivery_id, secret=opened.secret, at=self._clock())
        except (ValidationError, ValueError):
            return MISCONFIGURED
        return await self._poster.post(opened.url, body, headers)


def render(telling: Telling, *, public_url: str) -> dict[str, Any]:
    """The body, under 20 kB. The same telling always gives the same body."""
    match telling:
        case TransitionTelling(transition=transition):
            return alert_message(transition, public_url=public_url, by_name=telling.by_name)
        case DigestTelling():
            return _digest(telling, Pages(public_url))
        case TestTelling():
            return sample_message(channel=telling.channel, by=telling.by, at=telling.at, by_name=telling.by_name)
        case NoticeTelling():
            return _notice(telling, Pages(public_url))


def alert_message(transition: AlertTransition, *, public_url: str, by_name: str | None = None) -> dict[str, Any]:
    """The body for one transition. Names of a certificate that do not fit are counted, and shown behind the link."""
    pages = Pages(public_url)
    facts = transition.facts.model_dump(mode="json", exclude_none=True)
    data = {
        "state": transition.kind.value,
        "cause": transition.cause,
        "close_reason": transition.close_reason,
        "summary": transition.summary,
        "severity": transition.rule.severity.value,
        "note": transition.note,
        "by": transition.by,
        "by_name": by_name,
        # Without the runbook, which stands beside them: an address that was cut to fit would lead nowhere.
        "host": transition.host.model_dump(mode="json", exclude_none=True, exclude={"runbook_url"}),
        "rule": transition.rule.model_dump(mode="json", exclude_none=True, exclude={"runbook_url"}),
        "facts": facts,
        "owner": transition.host.owner,
        "days_left": transition.facts.days_left,
        "not_after": facts.get("not_after"),
        "names": facts.pop("names", []),
        "names_count": max(transition.facts.names_count, len(transition.facts.names)),
    }
    links = {
        "runbook_url": runbook(transition),
        "link": pages.host(transition.host_id),
        "alert_link": pages.alert(transition.alert_id),
        "help_link": pages.silence(transition.alert_id),
    }
    return _enveloped(f"alert.{transition.kind.value}", transition.at, data, {**_numbers(transition), **links})


def _numbers(transition: AlertTransition) -> dict[str, Any]:
    return {
        "workspace_id": str(transition.workspace_id),
        "alert_id": str(transition.alert_id),
        "transition_id": str(transition.transition_id),
        "n": transition.n,
        "episode": transition.episode,
        "opened_at": ce_time(transition.opened_at),
        "at": ce_time(transition.at),
        "snoozed_until": None if transition.snoozed_until is None else ce_time(transition.snoozed_until),
    }


def _digest(telling: DigestTelling, pages: Pages) -> dict[str, Any]:
    data = {
        "state": telling.what.value,
        "summary": f"{telling.count} alerts {telling.what.value}: {telling.title}",
        "title": telling.title,
        "severity": telling.severity.value,
        "alerts": [line.model_dump(mode="json") for line in telling.lines],
    }
    fixed = {"workspace_id": str(telling.workspace_id), "count": telling.count, "link": pages.alerts()}
    return _enveloped("alert.digest", telling.at, data, fixed)


def _notice(telling: NoticeTelling, pages: Pages) -> dict[str, Any]:
    data = {"summary": telling.title, "text": telling.text, "severity": telling.severity.value}
    fixed = {"workspace_id": str(telling.workspace_id), "link": pages.channels()}
    return _enveloped("workspace.notice", telling.at, data, fixed)


def sample_message(*, channel: str, by: str, at: datetime, by_name: str | None = None) -> dict[str, Any]:
    """The body of "test this channel"."""
    data = {
        "channel": channel,
        "by": by,
        "by_name": by_name,
        "summary": f"Test message for the channel {channel}, asked for by {who(by, by_name)}",
    }
    return _enveloped("channel.test", at, data, {})


def _enveloped(type_name: str, at: datetime, data: dict[str, Any], fixed: dict[str, Any]) -> dict[str, Any]:
    fitting = fitted(data, limit=BODY_MAX - _ENVELOPE_BYTES)
    return {"type": type_name, "timestamp": ce_time(at), "data": {**fitting, **fixed}}


def encode_body(message: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent; same message, same bytes."""
    return encoded(message)


def signed_headers(body: bytes, *, delivery_id: UUID, secret: str, at: datetime) -> dict[str, str]:
    """The three webhook headers for this attempt. `secret` is `whsec_<base64>`; ValueError if it is not."""
    signature = Webhook(secret).sign(str(delivery_id), at, body.decode("utf-8"))
    return {
        "webhook-id": str(delivery_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
        "user-agent": USER_AGENT,
    }
