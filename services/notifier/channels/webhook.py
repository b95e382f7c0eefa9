"""Generic webhooks as Standard Webhooks has them: body {type, timestamp, data}, HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from vigilo.events.alerts import AlertTransition
from vigilo.events.codec import ce_time

USER_AGENT = "Vigilo/0.1"


def alert_message(transition: AlertTransition, *, public_url: str) -> dict[str, Any]:
    """The body for one transition. The same transition always gives the same body."""
    facts = transition.facts.model_dump(mode="json", exclude_none=True)
    return {
        "type": f"alert.{transition.kind.value}",
        "timestamp": ce_time(transition.at),
        "data": {
            "workspace_id": str(transition.workspace_id),
            "alert_id": str(transition.alert_id),
            "transition_id": str(transition.transition_id),
            "n": transition.n,
            "episode": transition.episode,
            "state": transition.kind.value,
            "close_reason": transition.close_reason,
            "summary": transition.summary,
            "severity": transition.rule.severity.value,
            "opened_at": ce_time(transition.opened_at),
            "at": ce_time(transition.at),
            "note": transition.note,
            "by": transition.by,
            "host": transition.host.model_dump(mode="json", exclude_none=True),
            "rule": transition.rule.model_dump(mode="json", exclude_none=True),
            "facts": facts,
            "owner": transition.host.owner,
            "runbook_url": transition.rule.runbook_url or transition.host.runbook_url,
            "link": f"{public_url.rstrip('/')}/hosts/{transition.host_id}",
        },
    }


def sample_message(*, channel: str, by: str, at: datetime) -> dict[str, Any]:
    """The body of "test this channel"."""
    return {
        "type": "channel.test",
        "timestamp": ce_time(at),
        "data": {"channel": channel, "by": by, "summary": f"Test message for the channel {channel}, asked for by {by}"},
    }


def encode_body(message: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent; same message, same bytes."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")


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
