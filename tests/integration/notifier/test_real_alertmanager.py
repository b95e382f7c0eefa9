"""Alertmanager of the distribution takes what we post, however hostile, and fires and resolves by it."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.notifier.channels.alertmanager import AlertmanagerChannel
from services.notifier.delivery import Answer
from services.notifier.http import HttpPoster
from tests.fakes.alertmanager import faults_of
from tests.fakes.distribution import running, unpacked
from tests.fakes.scanner_process import free_port
from tests.fakes.tellings import DELIVERY, hostile_tellings, opened, told, usual_tellings
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.events.alerts import TransitionKind

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of an Alertmanager that tells nobody."""
    files = unpacked("prometheus-alertmanager")
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    (folder / "config.yml").write_text(CONFIG)
    arguments = {
        "config.file": folder / "config.yml",
        "storage.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
        "cluster.listen-address": "",
    }
    command = ["prometheus-alertmanager", *(f"--{name}={value}" for name, value in arguments.items())]
    with running(command, files=files, etc={}, folder=folder, port=port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def sending() -> AsyncIterator[AlertmanagerChannel]:
    """A channel that may reach loopback."""
    poster = HttpPoster(DeliveryEgress(parse_grants(["127.0.0.0/8:*"])), tls=ssl.create_default_context())
    yield AlertmanagerChannel(poster, public_url="https://vigilo.acme.test", clock=lambda: datetime.now(UTC))
    await poster.close()


def active(server: str) -> list[dict[str, Any]]:
    """What fires, as Alertmanager itself says."""
    answer: list[dict[str, Any]] = httpx.get(f"{server}/api/v2/alerts", params={"active": "true"}, timeout=5).json()
    return answer


async def test_an_alert_fires_with_all_its_facts_and_is_resolved_by_its_close(
    server: str, sending: AlertmanagerChannel
) -> None:
    now = datetime.now(UTC)
    change = opened().model_copy(update={"opened_at": now, "at": now})
    credentials = json.dumps({"url": server}).encode()
    attempt = await sending.send(credentials, told(change), delivery_id=DELIVERY)
    assert attempt.answer is Answer.ACCEPTED
    (alert,) = [one for one in active(server) if one["labels"]["alert_id"] == str(change.alert_id)]
    assert alert["labels"]["alertname"] == "VigiloExpiresInLessThan"
    assert alert["labels"]["instance"] == "shop.example:443"
    assert alert["annotations"]["owner"] == "Shop team"
    assert alert["annotations"]["host"] == "shop.example:443"
    assert alert["annotations"]["runbook_url"] == "https://wiki.example/tls"
    assert datetime.fromisoformat(alert["endsAt"]) - now > timedelta(minutes=4)
    closed = change.model_copy(update={"kind": TransitionKind.CLOSED, "at": datetime.now(UTC)})
    assert (await sending.send(credentials, told(closed), delivery_id=DELIVERY)).answer is Answer.ACCEPTED
    assert active(server) == []


async def test_every_telling_is_taken(server: str, sending: AlertmanagerChannel) -> None:
    credentials = json.dumps({"url": server}).encode()
    for telling in [*usual_tellings(), *hostile_tellings()]:
        attempt = await sending.send(credentials, telling, delivery_id=DELIVERY)
        assert attempt.answer is Answer.ACCEPTED, telling.kind


GOOD: dict[str, Any] = {
    "labels": {"alertname": "Good"},
    "annotations": {"summary": "x"},
    "startsAt": "2026-11-23T12:00:00+00:00",
    "endsAt": "2026-11-23T12:05:00+00:00",
}
BAD: dict[str, Any] = {
    "no labels": {**GOOD, "labels": {}},
    "label name": {**GOOD, "labels": {"alertname": "x", "days left": "3"}},
    "annotation name": {**GOOD, "annotations": {"days-left": "3"}},
    "end before start": {**GOOD, "endsAt": "2026-11-23T11:00:00+00:00"},
    "label is no text": {**GOOD, "labels": {"alertname": "x", "n": 3}},
}


@pytest.mark.parametrize("name", [*BAD, "nothing wrong"])
def test_the_stand_in_refuses_what_alertmanager_refuses(server: str, name: str) -> None:
    alert = BAD.get(name, GOOD)
    answer = httpx.post(f"{server}/api/v2/alerts", json=[alert], timeout=5)
    assert answer.status_code == (400 if name in BAD else 200)
    assert bool(faults_of([alert])) == (name in BAD)
