"""/rules and /channels over HTTP."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.fakes.api_server import ApiServer
from tests.unit.vigilo.alerting.asked import every_trigger
from vigilo.adapters.channel_credentials import WebhookCredentials
from vigilo.adapters.secrets import Sealed, channel_place
from vigilo.events.codec import decode_value
from vigilo.events.deliveries import DeliveryCommand
from vigilo.events.ids import record_id
from vigilo.events.rules import AlertRule, Channel
from vigilo.events.triggers import Trigger

pytestmark = pytest.mark.postgres

RULE: dict[str, Any] = {
    "name": "Expires soon",
    "trigger": {"kind": "expires-in-less-than", "days": 30},
    "severity": "warning",
}


def outbox(api: ApiServer, key: str) -> list[dict[str, Any]]:
    return api.rows("select * from config.outbox where aggregateid = %s order by position", key)


def channel(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"kind": "webhook", "name": "On-call", "url": "https://hooks.example/T0/secret-path", **fields}
    answer = client.post("channels", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_rule_is_added_edited_and_deleted_and_each_version_is_told(api: ApiServer, one: httpx.Client) -> None:
    sent_to = channel(one)["channel_id"]
    answer = one.post("rules", json={**RULE, "channels": [sent_to], "scope": {"kind": "tag", "tag": "prod"}})
    rule = answer.json()
    path = f"rules/{rule['rule_id']}"
    assert answer.headers["etag"] == '"1"' and one.get(path).json() == rule
    assert rule["trigger"] == {"kind": "expires-in-less-than", "days": 30.0, "share": None, "include": "leaf"}
    changed = one.patch(path, json={"severity": "critical"}, headers={"If-Match": '"1"'})
    assert changed.json()["severity"] == "critical" and changed.json()["trigger"] == rule["trigger"]
    assert one.patch(path, json={"severity": "critical"}).json()["version"] == 2
    assert one.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert one.delete(path).status_code == 204
    assert one.get(path).status_code == 404
    told = outbox(api, rule["rule_id"])
    events = [decode_value(row["payload"].encode(), AlertRule) for row in told]
    assert [(event.version, event.status.value) for event in events] == [(1, "active"), (2, "active"), (3, "deleted")]
    assert [row["id"] for row in told] == [record_id(event.rule_id, event.version) for event in events]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"severity": "loud"}, "severity"),
        ({"trigger": {"kind": "unheard-of"}}, "trigger.kind"),
        ({"trigger": {"days": 3}}, "trigger.kind"),
        ({"trigger": "soon"}, "trigger"),
        ({"trigger": {"kind": "expires-in-less-than", "days": 0}}, "trigger.days"),
        ({"trigger": {"kind": "expires-in-less-than"}}, "trigger.days"),
        ({"trigger": {"kind": "chain-validation-fails", "dayz": 3}}, "trigger.dayz"),
        ({"scope": {"kind": "host", "host_id": "x"}}, "scope.host_id"),
        ({"scope": {"kind": "host", "host_id": str(uuid4())}}, "scope.host_id"),
        ({"channels": [str(uuid4())]}, "channels"),
        ({"channels": ["x"]}, "channels.0"),
        ({"open_after": 0}, "open_after"),
        ({"close_after": 11}, "close_after"),
        ({"enabled": "yes"}, "enabled"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_rule_is_refused_by_field(one: httpx.Client, change: dict[str, Any], field: str) -> None:
    for answer in (
        one.post("rules", json={**RULE, **change}),
        one.patch(f"rules/{one.post('rules', json=RULE).json()['rule_id']}", json=change),
    ):
        assert answer.status_code == 422, answer.text
        assert field in {error["field"] for error in answer.json()["errors"]}, answer.text


def test_a_parameter_out_of_bounds_is_refused_in_words_that_name_the_fix(one: httpx.Client) -> None:
    trigger = {"kind": "expires-in-less-than", "days": 30, "share": 30}
    assert one.post("rules", json={**RULE, "trigger": trigger}).json()["errors"] == [
        {
            "field": "trigger.share",
            "location": "body",
            "problem": "30 is not allowed as a share of the lifetime",
            "allowed": "a share of the lifetime is between 0 and 1, e.g. 0.33 for a third",
        }
    ]
    below = one.post("rules", json={**RULE, "trigger": {"kind": "grade-below", "grade": "F"}}).json()["errors"]
    assert [(error["field"], error["problem"]) for error in below] == [("trigger.grade", "nothing is below F")]


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: str(trigger.kind))
def test_a_rule_may_ask_every_question(one: httpx.Client, trigger: Trigger) -> None:
    answer = one.post("rules", json={**RULE, "trigger": {"kind": trigger.kind, **_given(trigger)}})
    assert answer.status_code == 201, answer.text
    assert answer.json()["trigger"] == trigger.model_dump(mode="json")


def _given(trigger: Trigger) -> dict[str, Any]:
    return trigger.model_dump(mode="json", exclude_defaults=True)


def test_rules_and_channels_are_listed_in_pages(two: httpx.Client) -> None:
    for recommended in two.get("rules").json()["items"]:
        two.delete(f"rules/{recommended['rule_id']}")
    made = [two.post("rules", json=RULE).json()["rule_id"] for _ in range(5)]
    first = two.get("rules?limit=3").json()
    second = two.get("rules", params={"limit": 3, "cursor": first["next"]}).json()
    assert [item["rule_id"] for item in first["items"] + second["items"]] == made
    assert second["next"] is None
    assert two.get("rules?cursor=W10").status_code == 422
    names = [channel(two, name=f"c{n}")["channel_id"] for n in range(2)]
    assert [item["channel_id"] for item in two.get("channels").json()["items"]] == names


def sealed_credentials(api: ApiServer, channel_id: str) -> WebhookCredentials:
    # As the notifier reads them: its own role, its one view.
    row = api.rows("select * from notifier.channel_secrets where channel_id = %s", channel_id)[0]
    place = channel_place(row["workspace_id"], row["channel_id"])
    opened = api.settings.box().open(Sealed(row["key_id"], bytes(row["ciphertext"])), place=place)
    return WebhookCredentials.model_validate_json(opened)


def test_a_secret_is_shown_once_and_its_address_never_told(api: ApiServer, one: httpx.Client) -> None:
    made = channel(one)
    assert made["destination"] == "https://hooks.example/…"
    kept = sealed_credentials(api, made["channel_id"])
    assert (kept.url, kept.secret) == ("https://hooks.example/T0/secret-path", made["secret"])
    texts = [one.get(path).text for path in ("channels", f"channels/{made['channel_id']}")]
    texts += [row["payload"] for row in outbox(api, made["channel_id"])]
    texts += [str(api.rows("select * from config.channels"))]
    for text in texts:
        assert made["channel_id"].replace("-", "")[:8] in text.replace("-", "")
        assert "whsec_" not in text and "secret-path" not in text


def test_ones_own_secret_is_taken(api: ApiServer, one: httpx.Client) -> None:
    own = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert channel(one, secret=own)["secret"] == own
    for bad in ("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!!"):
        body = {"kind": "webhook", "name": "c", "url": "https://h.example/", "secret": bad}
        answer = one.post("channels", json=body)
        assert answer.status_code == 422 and (len(bad) < 8 or bad not in answer.text)


def test_the_notifier_sees_secrets_through_its_view_and_nothing_else(api: ApiServer, one: httpx.Client) -> None:
    made = channel(one)
    with psycopg.connect(api.admin_url, autocommit=True) as admin:
        admin.execute("set role vigilo_notifier")
        query = "select count(*) from notifier.channel_secrets where channel_id = %s"
        assert admin.execute(query, (made["channel_id"],)).fetchone() == (1,)
        for forbidden in ("select * from config.channel_secrets", "select * from config.tokens"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute(forbidden)
    one.delete(f"channels/{made['channel_id']}")
    assert api.rows("select * from notifier.channel_secrets where channel_id = %s", made["channel_id"]) == []


def test_editing_a_channel_reseals_what_changed_and_keeps_the_rest(api: ApiServer, one: httpx.Client) -> None:
    made = channel(one)
    path = f"channels/{made['channel_id']}"
    moved = one.patch(path, json={"url": "https://other.example/new"})
    assert (moved.json()["destination"], moved.json()["version"]) == ("https://other.example/…", 2)
    kept = sealed_credentials(api, made["channel_id"])
    assert (kept.url, kept.secret) == ("https://other.example/new", made["secret"])
    new = "whsec_" + "bmV3IHNlY3JldCBvZiAzMiBieXRlcyBmb3IgdGVzdHMu"
    assert one.patch(path, json={"secret": new}).json()["version"] == 3
    assert sealed_credentials(api, made["channel_id"]).secret == new
    assert one.patch(path, json={"secret": new, "enabled": True}).json()["version"] == 3
    versions = [json.loads(row["payload"])["version"] for row in outbox(api, made["channel_id"])]
    assert versions == [1, 2, 3]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://user:pw@hooks.example/",
        "https://hooks.example/#x",
        "https://hooks.example/a b",
        "https:///x",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://10.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "http://127.0.0.1:6666/",
        "http://9.9.9.9/",
        "javascript:alert(1)",
        "hooks.example",
        "https://" + "a" * 2000,
    ],
)
def test_an_address_nothing_would_be_sent_to_is_refused(one: httpx.Client, url: str) -> None:
    answer = one.post("channels", json={"kind": "webhook", "name": "c", "url": url})
    assert answer.status_code == 422, answer.text
    assert {error["field"] for error in answer.json()["errors"]} == {"url"}


def test_what_the_operator_allows_is_taken(one: httpx.Client) -> None:
    assert channel(one, url="http://127.0.0.1:9999/hook")["destination"] == "http://127.0.0.1:9999/…"


def test_a_channel_in_use_stays_until_no_rule_sends_to_it(one: httpx.Client) -> None:
    made = channel(one)
    rule = one.post("rules", json={**RULE, "channels": [made["channel_id"]]}).json()
    refused = one.delete(f"channels/{made['channel_id']}")
    assert refused.status_code == 409
    assert [entry["rule_id"] for entry in refused.json()["rules"]] == [rule["rule_id"]]
    one.patch(f"rules/{rule['rule_id']}", json={"channels": []})
    assert one.delete(f"channels/{made['channel_id']}").status_code == 204


def test_a_rule_that_names_a_channel_while_it_is_deleted_waits_and_is_refused(
    api: ApiServer, one: httpx.Client
) -> None:
    made = channel(one)["channel_id"]
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%%config.channels%%'"
    with psycopg.connect(api.admin_url) as deleting, ThreadPoolExecutor(1) as pool:
        deleting.execute("update config.channels set status = 'deleted' where channel_id = %s", (made,))
        answer = pool.submit(lambda: one.post("rules", json={**RULE, "channels": [made]}))
        while not answer.done() and not api.rows(waiting):
            time.sleep(0.01)
        deleting.commit()
        refused = answer.result(20)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, ["channels"])


def test_a_test_message_is_a_command_to_the_notifier(api: ApiServer, one: httpx.Client) -> None:
    made = channel(one)
    asked = one.post(f"channels/{made['channel_id']}/test")
    assert asked.status_code == 202
    row = outbox(api, made["channel_id"])[-1]
    command = decode_value(row["payload"].encode(), DeliveryCommand)
    assert (row["aggregatetype"], str(command.command_id)) == ("delivery-commands", asked.json()["command_id"])
    one.patch(f"channels/{made['channel_id']}", json={"enabled": False})
    assert one.post(f"channels/{made['channel_id']}/test").status_code == 409


def test_channels_are_told_without_what_is_secret_in_their_shape(api: ApiServer, one: httpx.Client) -> None:
    event = decode_value(outbox(api, channel(one)["channel_id"])[0]["payload"].encode(), Channel)
    assert set(event.model_dump()) == set(Channel.model_fields)
