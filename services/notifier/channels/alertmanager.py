"""Alertmanager: alerts are posted to its API v2 and posted again before they lapse.

Source: Prometheus, Alertmanager, "Alerts API" and api/v2/openapi.yaml (postableAlerts); pkg/labels for what a label may
be. Alertmanager keeps alerts by their labels, and an alert that is not repeated before its `endsAt` counts as resolved.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from services.notifier.channels.shrinking import clip, encoded
from services.notifier.channels.webhook import USER_AGENT
from services.notifier.channels.wording import Wording, where, worded
from services.notifier.delivery import MISCONFIGURED, Answer, Attempt
from services.notifier.http import HttpPoster
from services.notifier.tellings import Telling, TransitionTelling
from vigilo.adapters.channel_credentials import AlertmanagerCredentials
from vigilo.events.alerts import AlertTransition, TransitionKind

REPEAT_EVERY: Final = timedelta(seconds=60)
LAPSES_AFTER: Final = 5 * REPEAT_EVERY
BATCH_MAX: Final = 500
_PATH: Final = "/api/v2/alerts"
_LABEL_MAX: Final = 256
_TAGS_MAX: Final = 50


class AlertmanagerChannel:
    """Posts alerts, one for a telling, many for the repetition."""

    def __init__(self, poster: HttpPoster, *, public_url: str, clock: Callable[[], datetime]) -> None:
        self._poster = poster
        self._public_url = public_url
        self._clock = clock

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt. Posting the same alert again is no harm."""
        return await self._post(credentials, [render(telling, public_url=self._public_url, now=self._clock())])

    async def send_many(self, credentials: bytes, transitions: Iterable[AlertTransition]) -> Attempt:
        """Repeats alerts that are open, at most BATCH_MAX in one request; ends at the first request that fails."""
        alerts = render_many(transitions, public_url=self._public_url, now=self._clock())
        attempt = Attempt(answer=Answer.ACCEPTED)
        for start in range(0, len(alerts), BATCH_MAX):
            attempt = await self._post(credentials, alerts[start : start + BATCH_MAX])
            if attempt.answer is not Answer.ACCEPTED:
                break
        return attempt

    async def _post(self, credentials: bytes, alerts: list[dict[str, Any]]) -> Attempt:
        try:
            opened = AlertmanagerCredentials.model_validate_json(credentials)
            headers = {"content-type": "application/json", "user-agent": USER_AGENT, **_authorization(opened)}
        except (ValidationError, ValueError):
            return MISCONFIGURED
        url = f"{opened.url.rstrip('/').removesuffix(_PATH)}{_PATH}"
        return await self._poster.post(url, encoded(alerts), headers, meaning=answer_of)


def answer_of(http_status: int, _said: bytes) -> Answer:
    """200 = taken; 400 = it will never be; everything else is tried again."""
    if http_status == 200:
        return Answer.ACCEPTED
    return Answer.INVALID if http_status == 400 else Answer.REJECTED


def render(telling: Telling, *, public_url: str, now: datetime) -> dict[str, Any]:
    """One alert as postableAlerts has it.

    An open alert ends five repetitions from `now` unless it is repeated, a closed one at the moment it closed. Tests,
    notices and digests are told once and lapse by themselves.
    """
    words = worded(telling, public_url=public_url)
    lapses = now + LAPSES_AFTER
    if isinstance(telling, TransitionTelling):
        transition = telling.transition
        over = transition.kind is TransitionKind.CLOSED
        starts, ends = transition.opened_at, transition.at if over else lapses
        labels = _labels(transition)
    else:
        starts, ends = words.at, lapses
        labels = {"alertname": f"Vigilo{telling.kind.capitalize()}", "severity": words.severity.value}
        labels["about"] = clip(words.headline, limit=_LABEL_MAX)
    main = next((link.url for link in words.safe_links), None)
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": _annotations(words),
        "startsAt": starts.isoformat(),
        "endsAt": max(starts, ends).isoformat(),
        **({} if main is None else {"generatorURL": main}),
    }


def render_many(transitions: Iterable[AlertTransition], *, public_url: str, now: datetime) -> list[dict[str, Any]]:
    """The body that repeats alerts which are open."""
    return [render(TransitionTelling(transition=one), public_url=public_url, now=now) for one in transitions]


def _labels(transition: AlertTransition) -> dict[str, str]:
    """What makes the alert this alert to Alertmanager: the same for open and close as long as nobody edits the rule."""
    kind = transition.rule.trigger.kind
    tags = ",".join(clip(tag, limit=64).replace(",", " ") for tag in transition.host.tags[:_TAGS_MAX])
    labels = {
        "alertname": "Vigilo" + "".join(part.capitalize() for part in kind.split("-")),
        "severity": transition.rule.severity.value,
        "instance": where(transition.host),
        "alert_id": str(transition.alert_id),
        "rule": transition.rule.name,
        "workspace": str(transition.workspace_id),
        # With a comma at both ends, so that a matcher can ask for `.*,prod,.*`.
        "tags": f",{tags}," if tags else "",
    }
    return {name: clip(value, limit=4 * _LABEL_MAX if name == "tags" else _LABEL_MAX) for name, value in labels.items()}


def _annotations(words: Wording) -> dict[str, str]:
    told = {"summary": words.headline, "description": words.text or "\n".join(words.lines)}
    told |= {_annotation_name(fact.label): fact.value for fact in words.facts}
    told |= {f"{_annotation_name(link.text)}_url": link.url for link in words.safe_links}
    if words.more:
        told["more"] = f"and {words.more:,} more"
    return {name: value for name, value in told.items() if value}


def _annotation_name(label: str) -> str:
    """`Days left` as `days_left`: letters, digits and underscores, as label names must be."""
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in label.lower())
    return "_".join(part for part in name.split("_") if part)


def _authorization(opened: AlertmanagerCredentials) -> dict[str, str]:
    if opened.bearer_token is not None:
        if not opened.bearer_token.isprintable():
            raise ValueError("no token has hidden characters")
        return {"authorization": f"Bearer {opened.bearer_token}"}
    if opened.username is None:
        return {}
    pair = f"{opened.username}:{opened.password or ''}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
