"""Channels of every kind over HTTP: sealed, shown without what is secret, and how their messages fare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.fakes.alerts import transition
from tests.fakes.api_server import ApiServer, running_api
from tests.fakes.read_model import put
from vigilo.adapters.channel_credentials import CREDENTIALS, Credentials
from vigilo.adapters.secrets import Sealed, channel_place
from vigilo.events.alerts import TransitionKind
from vigilo.events.codec import decode_value
from vigilo.events.deliveries import Delivery, DeliveryStatus
from vigilo.events.rules import Channel, ChannelKind

pytestmark = pytest.mark.postgres

BODIES: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://hooks.example/hidden"},
    "slack": {"url": "https://hooks.slack.com/services/T0/B0/hidden"},
    "pagerduty": {"routing_key": "0123456789abcdef0123456789hidden"},
    "email": {"to": ["hidden@example.com"]},
    "alertmanager": {"url": "https://am.example/hidden/", "bearer_token": "hidden"},
}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API whose operator has a mail server."""
    with running_api(module_database, tmp_path_factory.mktemp("home"), smtp_host="mail.example") as server:
        yield server


def channel(client: httpx.Client, kind: str = "slack", **fields: Any) -> dict[str, Any]:
    answer = client.post("channels", json={"kind": kind, "name": "c", **BODIES[kind], **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def kept(api: ApiServer, channel_id: str) -> Credentials:
    # As the notifier reads them.
    (row,) = api.rows("select * from notifier.channel_secrets where channel_id = %s", channel_id)
    place = channel_place(row["workspace_id"], row["channel_id"])
    opened = api.settings.box().open(Sealed(row["key_id"], bytes(row["ciphertext"])), place=place)
    return CREDENTIALS[ChannelKind(row["kind"])].model_validate_json(opened)


def told(api: ApiServer, channel_id: str) -> Channel:
    rows = api.rows(
        "select payload from config.outbox where aggregateid = %s and aggregatetype = 'channels' order by position",
        channel_id,
    )
    return decode_value(rows[-1]["payload"].encode(), Channel)


@pytest.mark.parametrize("kind", BODIES)
def test_each_kind_is_sealed_and_only_a_webhook_shows_a_secret_once(
    api: ApiServer, one: httpx.Client, kind: str
) -> None:
    made = channel(one, kind)
    assert (made["secret"] is not None) == (kind == "webhook")
    assert "hidden" not in str(made) and "hidden" not in one.get(f"channels/{made['channel_id']}").text
    assert "hidden" not in str(api.rows("select payload from config.outbox where aggregateid = %s", made["channel_id"]))
    assert "hidden" in kept(api, made["channel_id"]).model_dump_json()
    assert told(api, made["channel_id"]).kind == kind
    path = f"channels/{made['channel_id']}"
    assert one.patch(path, json={"name": "d"}).json()["version"] == 2
    assert "hidden" in kept(api, made["channel_id"]).model_dump_json()


def test_a_channel_takes_routes_by_rules_that_are_there(api: ApiServer, one: httpx.Client) -> None:
    trigger = {"kind": "chain-validation-fails"}
    rule = one.post("rules", json={"name": "r", "trigger": trigger, "severity": "info"}).json()["rule_id"]
    routes = [{"severities": ["critical"], "tags": ["prod"], "rules": []}, {"rules": [rule]}]
    made = channel(one, routes=routes)
    assert [str(one) for one in told(api, made["channel_id"]).routes[1].rules] == [rule]
    assert one.get(f"channels/{made['channel_id']}").json()["routes"][0] == routes[0]
    wrong: list[Any] = [[{"rules": [str(uuid4())]}], [{"severities": ["loud"]}], [{}] * 21]
    for bad in wrong:
        answer = one.patch(f"channels/{made['channel_id']}", json={"routes": bad})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].startswith("routes")
    assert one.patch(f"channels/{made['channel_id']}", json={"routes": []}).json()["routes"] == []


def test_a_channel_tells_how_its_messages_fare(api: ApiServer, one: httpx.Client) -> None:
    made = channel(one)
    path = f"channels/{made['channel_id']}"
    health: dict[str, Any] = {"last_delivered_at": None, "failing_since": None, "last_error": None, "waiting": 0}
    assert one.get(path).json()["health"] == health

    def delivery(status: DeliveryStatus, minute: int, **fields: Any) -> Delivery:
        return Delivery(
            delivery_id=uuid4(),
            workspace_id=api.one.workspace_id,
            channel_id=UUID(made["channel_id"]),
            status=status,
            attempt=1,
            at=NOW + timedelta(minutes=minute),
            **fields,
        )

    put(api.admin_url, delivery(DeliveryStatus.FAILED, 0, error_class="old"), delivery(DeliveryStatus.DELIVERED, 1))
    health["last_delivered_at"] = (NOW + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert one.get(path).json()["health"] == health
    alert = transition(TransitionKind.OPENED, workspace_id=api.one.workspace_id, host_id=uuid4(), at=NOW)
    of = {"alert_id": alert.alert_id, "host_id": alert.host_id, "transition_id": alert.transition_id}
    put(api.admin_url, alert, delivery(DeliveryStatus.RETRYING, 2, error_class="timeout", **of))
    shown = one.get(path).json()["health"]
    assert (shown["waiting"], shown["last_error"]) == (1, "timeout")
    assert datetime.fromisoformat(shown["failing_since"]) == NOW
    (listed,) = [
        item
        for item in one.get("channels?limit=200").json()["items"]
        if item["name"] == "c" and item["health"]["waiting"]
    ]
    assert listed["health"] == shown


def test_without_a_mail_server_there_is_no_e_mail(database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_api(database, tmp_path_factory.mktemp("other")) as server, server.one.client() as client:
        answer = client.post("channels", json={"kind": "email", "name": "c", **BODIES["email"]})
    assert answer.status_code == 422
    assert "VIGILO_SMTP_HOST" in answer.json()["errors"][0]["problem"]
