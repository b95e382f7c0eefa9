"""PagerDuty as its documentation describes it: what events do to incidents, what it refuses, and when it is down.

Source: PagerDuty, "Events API v2" (Overview, Send an Alert Event, Send a Change Event).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.fakes.http_server import serving

BODY_MAX = 512 * 1024
SUMMARY_MAX = 1024
DEDUP_KEY_MAX = 255
ROUTING_KEY_LENGTH = 32
_SEVERITIES = {"critical", "error", "warning", "info"}
_ACTIONS = {"trigger", "acknowledge", "resolve"}
_FIELDS = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
_PAYLOAD_FIELDS = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


class Status(StrEnum):
    """Where an incident stands."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass
class Incident:
    """One alert of PagerDuty's; `events` are all that were applied to it, in order."""

    routing_key: str
    dedup_key: str
    status: Status = Status.TRIGGERED
    events: list[Mapping[str, Any]] = field(default_factory=list)


class Incidents:
    """The rules of deduplication.

    A trigger opens an incident unless one with its routing key and dedup key is open; then it is added to that one. An
    acknowledge or resolve without an open incident is dropped. A resolved incident never opens again: a later trigger
    makes a new one.
    """

    def __init__(self) -> None:
        self.all: list[Incident] = []
        self.dropped: list[Mapping[str, Any]] = []

    def apply(self, event: Mapping[str, Any]) -> Incident | None:
        """The incident the event was applied to; None when it was dropped."""
        action = event["event_action"]
        dedup_key = event.get("dedup_key") or str(uuid4())  # without one every trigger opens an incident of its own
        found = self._open_one(event["routing_key"], dedup_key)
        if found is None and action == "trigger":
            found = Incident(event["routing_key"], dedup_key)
            self.all.append(found)
        if found is None:
            self.dropped.append(event)
            return None
        found.events.append(event)
        if action == "acknowledge":
            found.status = Status.ACKNOWLEDGED
        elif action == "resolve":
            found.status = Status.RESOLVED
        return found

    def open(self) -> list[Incident]:
        """Those that somebody still has to look after."""
        return [one for one in self.all if one.status is not Status.RESOLVED]

    def of(self, dedup_key: str) -> list[Incident]:
        """All incidents of one dedup key, oldest first."""
        return [one for one in self.all if one.dedup_key == dedup_key]

    def _open_one(self, routing_key: str, dedup_key: str) -> Incident | None:
        return next((one for one in self.open() if (one.routing_key, one.dedup_key) == (routing_key, dedup_key)), None)


def faults_of(body: bytes) -> list[str]:
    """What the documentation forbids in an alert event."""
    event, faults = _opened(body)
    if event is None:
        return faults
    faults += [f"unknown field {name}" for name in event.keys() - _FIELDS]
    action = event.get("event_action")
    if action not in _ACTIONS:
        faults.append("event_action")
    if not 1 <= len(str(event.get("dedup_key", "x"))) <= DEDUP_KEY_MAX:
        faults.append("dedup_key")
    if action != "trigger" and "dedup_key" not in event:
        faults.append("dedup_key is required to acknowledge or resolve")
    if action == "trigger":
        faults += _payload_faults(event.get("payload"), required={"summary", "source", "severity"})
    return faults + _link_faults(event)


def change_faults_of(body: bytes) -> list[str]:
    """What the documentation forbids in a change event."""
    event, faults = _opened(body)
    if event is None:
        return faults
    faults += [f"unknown field {name}" for name in event.keys() - {"routing_key", "payload", "links"}]
    return faults + _payload_faults(event.get("payload"), required={"summary"}) + _link_faults(event)


def _opened(body: bytes) -> tuple[dict[str, Any] | None, list[str]]:
    if len(body) > BODY_MAX:
        return None, ["body over 512 KB"]
    try:
        event = json.loads(body)
    except ValueError:
        return None, ["not JSON"]
    if not isinstance(event, dict):
        return None, ["not an object"]
    key = event.get("routing_key")
    good = isinstance(key, str) and len(key) == ROUTING_KEY_LENGTH
    return event, [] if good else ["routing_key"]


def _payload_faults(payload: object, *, required: set[str]) -> list[str]:
    if not isinstance(payload, dict):
        return ["payload"]
    faults = [f"payload.{name} missing" for name in sorted(required) if not payload.get(name)]
    faults += [f"unknown field payload.{name}" for name in payload.keys() - _PAYLOAD_FIELDS]
    if len(payload.get("summary", "")) > SUMMARY_MAX:
        faults.append("payload.summary too long")
    if "severity" in required and payload.get("severity") not in _SEVERITIES:
        faults.append("payload.severity")
    if not isinstance(payload.get("custom_details", {}), dict):
        faults.append("payload.custom_details")
    for name in ("source", "component", "group", "class"):
        if not isinstance(payload.get(name, ""), str):
            faults.append(f"payload.{name} is no text")
    return faults + _time_faults(payload.get("timestamp"))


def _time_faults(timestamp: object) -> list[str]:
    if timestamp is None:
        return []
    try:
        moment = datetime.fromisoformat(str(timestamp))
    except ValueError:
        return ["payload.timestamp"]
    return [] if moment.tzinfo is not None else ["payload.timestamp has no zone"]


def _link_faults(event: Mapping[str, Any]) -> list[str]:
    faults: list[str] = []
    for link in event.get("links", []):
        if not str(link.get("href", "")).startswith(("http://", "https://")):
            faults.append("links.href")
        if link.keys() - {"href", "text"}:
            faults.append("links: unknown field")
    return faults


@dataclass
class PagerDuty:
    """The fake as it runs. `status` other than 202 is what every request gets; `hangs` answers nobody.

    `takes_it_all_the_same`: a request that hangs or gets a 5xx was nevertheless applied, as happens.
    """

    url: str = ""
    incidents: Incidents = field(default_factory=Incidents)
    changes: list[Mapping[str, Any]] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)
    requests: int = 0
    status: int = 202
    hangs: bool = False
    takes_it_all_the_same: bool = False
    retry_after: str | None = None
    word: str = ""

    async def _take(self, body: bytes, *, change: bool) -> web.Response:
        self.requests += 1
        if (self.status != 202 or self.hangs) and not self.takes_it_all_the_same:
            return await self._failed()
        faults = change_faults_of(body) if change else faults_of(body)
        if faults:
            self.refused.append(faults)
            return web.json_response({"status": "invalid event", "errors": faults}, status=400)
        event = json.loads(body)
        if change:
            self.changes.append(event)
        else:
            self.incidents.apply(event)
        if self.status != 202 or self.hangs:
            return await self._failed()
        return web.json_response({"status": "success", "dedup_key": event.get("dedup_key")}, status=202)

    async def _failed(self) -> web.Response:
        if self.hangs:
            await asyncio.sleep(60)
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return web.Response(status=self.status if self.status != 202 else 503, text=self.word, headers=headers)


@asynccontextmanager
async def pagerduty(port: int = 0) -> AsyncIterator[PagerDuty]:
    """A PagerDuty that listens on loopback for as long as the block lasts; `url` goes into a channel's credentials."""
    fake = PagerDuty()

    async def alert(request: web.Request) -> web.Response:
        return await fake._take(await request.read(), change=False)

    async def change(request: web.Request) -> web.Response:
        return await fake._take(await request.read(), change=True)

    async with serving({"/v2/enqueue": alert, "/v2/change/enqueue": change}, port=port, largest=2 * BODY_MAX) as base:
        fake.url = base
        yield fake
