"""Acknowledging alerts and sending messages again: commands to others, with names in the audit log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.fakes.alerts import AT, transition
from tests.fakes.api_server import ApiServer
from tests.fakes.read_model import put
from vigilo.events.alerts import TransitionKind
from vigilo.events.codec import decode_value
from vigilo.events.deliveries import Delivery, DeliveryCommand, DeliveryStatus
from vigilo.events.hosts import HostCommand

pytestmark = pytest.mark.postgres

K = TransitionKind


def course(api: ApiServer, client: httpx.Client, *kinds: TransitionKind, **fields: Any) -> str:
    """The id of an alert that went so, at a host of its own."""
    host_id = UUID(client.post("hosts", json={"hostname": f"{uuid4()}.example"}).json()["host_id"])
    went = [
        transition(kind, n=n, workspace_id=api.one.workspace_id, host_id=host_id, at=AT + timedelta(minutes=n))
        for n, kind in enumerate(kinds, start=1)
    ]
    said = {"by": "user:ann", "note": "mine"}
    went = [one.model_copy(update=said if one.kind is K.ACKNOWLEDGED else {}) for one in went]
    put(api.admin_url, *went[:-1], went[-1].model_copy(update=fields))
    return str(went[0].alert_id)


def commands(api: ApiServer, topic: str) -> list[bytes]:
    rows = api.rows("select payload from config.outbox where aggregatetype = %s order by position", topic)
    return [row["payload"].encode() for row in rows]


def test_an_open_alert_is_acknowledged_by_a_command_to_its_host(api: ApiServer, one: httpx.Client) -> None:
    alert = course(api, one, K.OPENED)
    asked = one.post(f"alerts/{alert}/acknowledge", json={"note": "on it"})
    assert asked.status_code == 202
    command = decode_value(commands(api, "host-commands")[-1], HostCommand)
    assert (str(command.alert_id), command.note, command.host_version) == (alert, "on it", 1)
    assert (str(command.command_id), command.by.split(":")[0]) == (asked.json()["command_id"], "token")
    (entry,) = one.get("audit", params={"subject": f"alert:{alert}"}).json()["items"]
    assert (entry["action"], entry["after"]["note"]) == ("alert.acknowledge", "on it")


@pytest.mark.parametrize("kinds", [(K.OPENED, K.CLOSED), (K.PENDING,), (K.SUPPRESSED,), (K.NOTICE,)])
def test_only_an_open_alert_is_acknowledged(
    api: ApiServer, one: httpx.Client, kinds: tuple[TransitionKind, ...]
) -> None:
    alert = course(api, one, *kinds)
    before = len(commands(api, "host-commands"))
    assert one.post(f"alerts/{alert}/acknowledge", json={}).status_code == 409
    assert len(commands(api, "host-commands")) == before


def test_an_alert_of_a_deleted_host_is_not_acknowledged(api: ApiServer, one: httpx.Client) -> None:
    alert = course(api, one, K.OPENED)
    one.delete(f"hosts/{one.get(f'alerts/{alert}').json()['host']['host_id']}")
    assert one.post(f"alerts/{alert}/acknowledge", json={}).status_code == 409


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((K.PENDING, K.OPENED, K.CLEARING), "open"),
        ((K.OPENED, K.REMINDER), "open"),
        ((K.OPENED, K.ACKNOWLEDGED), "acknowledged"),
        ((K.OPENED, K.ACKNOWLEDGED, K.CLEARING), "acknowledged"),
        ((K.OPENED, K.ACKNOWLEDGED, K.CLEARING, K.CLOSED), "closed"),
    ],
)
def test_an_alert_shows_its_state_whatever_came_last(
    api: ApiServer, one: httpx.Client, kinds: tuple[TransitionKind, ...], state: str
) -> None:
    alert = course(api, one, *kinds)
    shown = one.get(f"alerts/{alert}").json()
    assert shown["state"] == state
    acknowledged = shown["acknowledged"] or {}
    assert (acknowledged.get("by"), acknowledged.get("note")) == (
        ("user:ann", "mine") if K.ACKNOWLEDGED in kinds else (None, None)
    )
    for wanted in ("open", "acknowledged", "closed"):
        listed = one.get("alerts", params={"state": wanted, "host": shown["host"]["host_id"]}).json()["items"]
        assert [item["alert_id"] for item in listed] == ([alert] if wanted == state else [])


def test_an_alert_shows_by_name_who_acknowledged_it_as_far_as_the_workspace_knows(
    api: ApiServer, one: httpx.Client
) -> None:
    (token,) = api.rows(
        "select token_id from config.tokens where workspace_id = %s and name = 'owner'", api.one.workspace_id
    )
    (other,) = api.rows(
        "select token_id from config.tokens where workspace_id = %s and name = 'owner'", api.two.workspace_id
    )
    for token_id, name in ((token["token_id"], "owner"), (other["token_id"], None)):
        by = f"token:{token_id}"
        alert = course(api, one, K.OPENED, K.ACKNOWLEDGED, by=by)
        shown = one.get(f"alerts/{alert}").json()
        assert (shown["acknowledged"]["by"], shown["acknowledged"]["by_name"]) == (by, name)
        assert shown["transitions"][-1]["by"] == by
        (listed,) = one.get("alerts", params={"host": shown["host"]["host_id"]}).json()["items"]
        assert listed["acknowledged"] == shown["acknowledged"]


def test_an_alert_shows_what_caused_it_and_how_long_it_is_snoozed(api: ApiServer, one: httpx.Client) -> None:
    alert = course(api, one, K.SUPPRESSED, cause="rulebook", help="x", snoozed_until=AT + timedelta(days=1))
    shown = one.get(f"alerts/{alert}").json()
    assert (shown["state"], shown["cause"], shown["help"]) == ("suppressed", "rulebook", "x")
    assert datetime.fromisoformat(shown["snoozed_until"]) == AT + timedelta(days=1)


def channel(client: httpx.Client) -> str:
    body = {"kind": "webhook", "name": "c", "url": "https://c.example/"}
    return str(client.post("channels", json=body).json()["channel_id"])


def delivered(api: ApiServer, channel_id: str, status: DeliveryStatus, *, minute: int = 0, **fields: Any) -> str:
    one = Delivery(
        delivery_id=uuid4(),
        workspace_id=api.one.workspace_id,
        channel_id=UUID(channel_id),
        status=status,
        attempt=1,
        at=AT + timedelta(minutes=minute),
        **fields,
    )
    put(api.admin_url, one)
    return str(one.delivery_id)


def test_one_message_is_sent_again(api: ApiServer, one: httpx.Client) -> None:
    channel_id = channel(one)
    delivery = delivered(api, channel_id, DeliveryStatus.FAILED)
    asked = one.post(f"deliveries/{delivery}/redeliver")
    assert asked.status_code == 202, asked.text
    command = decode_value(commands(api, "delivery-commands")[-1], DeliveryCommand)
    assert (command.kind.value, str(command.delivery_id), str(command.channel_id)) == (
        "redeliver", delivery, channel_id,
    )  # fmt: skip
    assert asked.json() == {
        "command_id": str(command.command_id),
        "channel_id": channel_id,
        "delivery_id": delivery,
    }
    one.patch(f"channels/{channel_id}", json={"enabled": False})
    assert one.post(f"deliveries/{delivery}/redeliver").status_code == 409
    one.delete(f"channels/{channel_id}")
    assert one.post(f"deliveries/{delivery}/redeliver").status_code == 404


def test_a_span_is_sent_again(api: ApiServer, one: httpx.Client) -> None:
    channel_id = channel(one)
    before = datetime.now(UTC)
    assert one.post(f"channels/{channel_id}/redeliver", json={"since": AT.isoformat()}).status_code == 202
    command = decode_value(commands(api, "delivery-commands")[-1], DeliveryCommand)
    assert (command.since, command.statuses, command.delivery_id) == (AT, (DeliveryStatus.FAILED,), None)
    assert command.until is not None and command.until >= before
    (entry,) = one.get("audit", params={"subject": f"channel:{channel_id}", "limit": 1}).json()["items"]
    assert (entry["action"], entry["after"]["statuses"]) == ("delivery.redeliver", ["failed"])
    for bad, field in (
        ({}, "since"),
        ({"since": "2999-01-01T00:00:00Z"}, "since"),
        ({"since": AT.isoformat(), "until": AT.isoformat()}, "until"),
        ({"since": AT.isoformat(), "statuses": []}, "statuses"),
        ({"since": AT.isoformat(), "statuses": ["failed", "lost"]}, "statuses.1"),
    ):
        answer = one.post(f"channels/{channel_id}/redeliver", json=bad)
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_deliveries_are_listed_by_state_and_time_and_show_their_digest(api: ApiServer, one: httpx.Client) -> None:
    channel_id, digest = channel(one), uuid4()
    made = [
        delivered(api, channel_id, DeliveryStatus.FAILED, minute=0),
        delivered(api, channel_id, DeliveryStatus.DELIVERED, minute=1, digest_id=digest),
        delivered(api, channel_id, DeliveryStatus.SUPERSEDED, minute=2),
    ]

    def listed(**filters: Any) -> list[int]:
        items = one.get("deliveries", params={"channel": channel_id, **filters}).json()["items"]
        return [made.index(item["delivery_id"]) for item in items]

    assert listed() == [2, 1, 0]
    assert listed(status=["failed", "delivered"]) == [1, 0]
    assert listed(since=(AT + timedelta(minutes=1)).isoformat()) == [2, 1]
    assert listed(until=(AT + timedelta(minutes=1)).isoformat()) == [0]
    assert one.get(f"deliveries/{made[1]}").json()["digest_id"] == str(digest)
