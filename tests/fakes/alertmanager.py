"""Alertmanager's alerts API v2: keeps alerts by their labels and resolves them at their end.

Source: Prometheus, Alertmanager, api/v2/openapi.yaml (postableAlerts) and what its server refuses: no labels at all, an
end before the start, a label name of other than letters, digits and underscores. (From 0.27 on any UTF-8 name is taken;
what we send must please older ones too.)
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from tests.fakes.http_server import serving

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FIELDS = {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}

Labels = frozenset[tuple[str, str]]


def faults_of(alerts: object) -> list[str]:
    """What Alertmanager would refuse."""
    if not isinstance(alerts, list):
        return ["not a list"]
    return [fault for alert in alerts for fault in _alert_faults(alert)]


def _alert_faults(alert: dict[str, Any]) -> list[str]:
    faults = [f"unknown field {name}" for name in alert.keys() - _FIELDS]
    if not alert.get("labels"):
        faults.append("no labels")
    for part in ("labels", "annotations"):
        for name, value in alert.get(part, {}).items():
            if not _NAME.fullmatch(name):
                faults.append(f"{part}: name {name!r}")
            if not isinstance(value, str) or not value:
                faults.append(f"{part}: value of {name}")
    starts, ends = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))
    if starts.tzinfo is None or ends.tzinfo is None or ends < starts:
        faults.append("times")
    return faults


@dataclass
class Alertmanager:
    """The fake as it runs; alerts by their labels. `authorization` is what every request must bring."""

    url: str = ""
    alerts: dict[Labels, dict[str, Any]] = field(default_factory=dict)
    refused: list[list[str]] = field(default_factory=list)
    requests: int = 0
    status: int = 200
    authorization: str | None = None

    def firing(self, at: datetime) -> list[dict[str, Any]]:
        """Those that have not ended by then."""
        return [one for one in self.alerts.values() if datetime.fromisoformat(one["endsAt"]) > at]


@asynccontextmanager
async def alertmanager() -> AsyncIterator[Alertmanager]:
    """An Alertmanager that listens on loopback for as long as the block lasts."""
    fake = Alertmanager()

    async def take(request: web.Request) -> web.Response:
        fake.requests += 1
        if fake.authorization is not None and request.headers.get("authorization") != fake.authorization:
            return web.Response(status=401)
        if fake.status != 200:
            return web.Response(status=fake.status)
        alerts = json.loads(await request.read())
        if faults := faults_of(alerts):
            fake.refused.append(faults)
            return web.json_response(faults, status=400)
        for alert in alerts:
            fake.alerts[frozenset(alert["labels"].items())] = alert
        return web.Response()

    async with serving({"/am/api/v2/alerts": take}, largest=64 * 1024**2) as base:
        fake.url = f"{base}/am"
        yield fake
