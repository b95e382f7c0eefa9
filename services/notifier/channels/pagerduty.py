"""PagerDuty: alerts become incidents by the Events API v2.

Source: PagerDuty, "Events API v2": "Send an Alert Event", "Send a Change Event", "Response Codes & Retry Logic".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ValidationError

from services.notifier.channels.links import Pages, runbook, safe_url
from services.notifier.channels.shrinking import clip, encoded, fitted
from services.notifier.channels.webhook import USER_AGENT
from services.notifier.channels.wording import Wording, where, worded
from services.notifier.delivery import MISCONFIGURED, Answer, Attempt
from services.notifier.http import HttpPoster
from services.notifier.tellings import Telling, TestTelling, TransitionTelling
from vigilo.adapters.channel_credentials import PAGERDUTY_HOSTS, PagerDutyCredentials
from vigilo.events.alerts import AlertTransition, TransitionKind

SUMMARY_MAX: Final = 1024
# The limit is 512 KB for a whole event; details are cut long before, so that they need never be left out.
DETAILS_MAX: Final = 100_000
_ENQUEUE: Final = "/v2/enqueue"
_CHANGE: Final = "/v2/change/enqueue"
# "Invalid routing key", "Length of 'routing_key' is incorrect": the wording has changed over the years.
_ROUTING_KEY: Final = re.compile(rb"routing[ _]key", re.IGNORECASE)
_ACTIONS: Final[dict[TransitionKind, Literal["trigger", "acknowledge", "resolve"]]] = {
    TransitionKind.OPENED: "trigger",
    TransitionKind.REMINDER: "trigger",
    TransitionKind.NOTICE: "trigger",
    TransitionKind.ACKNOWLEDGED: "acknowledge",
    TransitionKind.CLOSED: "resolve",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """One event, without its routing key, and the path it goes to."""

    path: str
    event: dict[str, Any]


class PagerDutyChannel:
    """Sends events; the incident of an alert carries the alert's id as dedup key."""

    def __init__(self, poster: HttpPoster, *, public_url: str) -> None:
        self._poster = poster
        self._public_url = public_url

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt: the telling's events, one after the other, until one is not accepted.

        A test is two events; when the second is lost the next attempt sends both again, to the same incident.
        """
        try:
            opened = PagerDutyCredentials.model_validate_json(credentials)
        except ValidationError:
            return MISCONFIGURED
        base = (opened.url or f"https://{PAGERDUTY_HOSTS[opened.region]}").rstrip("/").removesuffix(_ENQUEUE)
        headers = {"content-type": "application/json", "user-agent": USER_AGENT}
        attempt = Attempt(answer=Answer.ACCEPTED)
        for sending in render(telling, public_url=self._public_url, delivery_id=delivery_id):
            body = encoded({"routing_key": opened.routing_key, **sending.event})
            meaning = alert_answer if sending.path == _ENQUEUE else change_answer
            attempt = await self._poster.post(f"{base}{sending.path}", body, headers, meaning=meaning)
            if attempt.answer is not Answer.ACCEPTED:
                break
        return attempt


def alert_answer(http_status: int, said: bytes) -> Answer:
    """202 = accepted; 400 = it will never be, nor will any event if the routing key is what is wrong; everything else
    is tried again.
    """
    if http_status == 400 and _ROUTING_KEY.search(said):
        return Answer.GONE
    return change_answer(http_status, said)


def change_answer(http_status: int, _said: bytes) -> Answer:
    """The same for change events: a key that takes none may still take alerts."""
    if http_status == 202:
        return Answer.ACCEPTED
    return Answer.INVALID if http_status == 400 else Answer.REJECTED


def render(telling: Telling, *, public_url: str, delivery_id: UUID) -> tuple[Sending, ...]:
    """The events for this telling, in order.

    A test triggers an incident and resolves it at once. A notice is a change event: it is shown with the service and
    wakes nobody, where an incident would stay open for ever. So is what no incident could come of: a digest, or a
    transition that nobody is told of.
    """
    words = worded(telling, public_url=public_url)
    if isinstance(telling, TransitionTelling) and telling.transition.kind in _ACTIONS:
        return (_alert(telling, words, public_url),)
    if isinstance(telling, TestTelling):
        key = f"vigilo-test-{delivery_id}"
        source = clip(public_url, limit=200) or "vigilo"
        trigger = _trigger(words, key, {"source": source, "component": "channel", "class": "test"}, public_url)
        return Sending(_ENQUEUE, trigger), Sending(_ENQUEUE, {"event_action": "resolve", "dedup_key": key})
    return (_change(words, public_url),)


def _alert(telling: TransitionTelling, words: Wording, public_url: str) -> Sending:
    transition = telling.transition
    action, key = _ACTIONS[transition.kind], str(transition.alert_id)
    if action != "trigger":
        return Sending(_ENQUEUE, {"event_action": action, "dedup_key": key})
    place = {
        "source": where(transition.host),
        "component": "tls",
        "class": transition.rule.trigger.kind,
        **({"group": clip(transition.host.tags[0], limit=200)} if transition.host.tags else {}),
    }
    event = _trigger(words, key, place, public_url)
    event["payload"]["custom_details"] = _details(transition, words, Pages(public_url))
    return Sending(_ENQUEUE, event)


def _trigger(words: Wording, key: str, place: dict[str, str], public_url: str) -> dict[str, Any]:
    client_url = safe_url(public_url)
    return {
        "event_action": "trigger",
        "dedup_key": key,
        "payload": {
            "summary": clip(words.headline, limit=SUMMARY_MAX) or words.tag,
            "severity": words.severity.value,
            "timestamp": words.at.isoformat(),
            **place,
        },
        "links": _links(words),
        "client": "Vigilo",
        **({"client_url": client_url} if client_url else {}),
    }


def _change(words: Wording, public_url: str) -> Sending:
    details = {"text": words.text, "alerts": list(words.lines), "more": words.more}
    payload = {
        "summary": clip(words.subject, limit=SUMMARY_MAX),
        "source": clip(public_url, limit=200) or "vigilo",
        "timestamp": words.at.isoformat(),
        "custom_details": fitted({name: one for name, one in details.items() if one}, limit=DETAILS_MAX),
    }
    return Sending(_CHANGE, {"payload": payload, "links": _links(words)})


def _details(transition: AlertTransition, words: Wording, pages: Pages) -> dict[str, Any]:
    told: dict[str, Any] = {fact.label: fact.value for fact in words.facts}
    names = list(transition.facts.names)
    if names:
        told["All names" if len(names) >= transition.facts.names_count else "First names"] = names
    cut: dict[str, Any] = fitted(told, limit=DETAILS_MAX)
    # Beside the links: not every view of an incident shows those.
    return {**cut, "How to silence": pages.silence(transition.alert_id), **_book(transition)}


def _book(transition: AlertTransition) -> dict[str, str]:
    book = runbook(transition)
    return {} if book is None else {"Runbook": book}


def _links(words: Wording) -> list[dict[str, str]]:
    return [{"href": link.url, "text": link.text} for link in words.safe_links]
