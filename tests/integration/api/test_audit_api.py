"""The audit log over HTTP: every change is in it once, with a name; nobody's secrets and nobody else's entries are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.api.audit.chain import Link, verify_chain
from services.api.audit.refusals import MOST_A_MINUTE
from services.api.openapi import BASE
from tests.fakes.api_server import ApiServer
from tests.fakes.people import add_person, remove_people
from tests.fakes.pki import Options, issue
from tests.fakes.routes import addresses
from tests.integration.api.log import COLUMNS, added, entries, last
from tests.integration.api.test_permissions import ACTIONS, RULE, Action, P, ids, name_of, send
from tests.unit.services.api.test_permissions import app
from vigilo.events.codec import decode_value
from vigilo.events.records import AuditEntry

pytestmark = pytest.mark.postgres

__all__ = ["app", "ids"]

# A preview is asked for by POST, for its draft is long; it changes nothing.
CHANGING = [
    action for action in ACTIONS if action.method not in {"GET", "HEAD"} and action.permission is not P.RULE_PREVIEW
]


@pytest.fixture(autouse=True)
def people(api: ApiServer) -> Iterator[None]:
    """Who a test adds is gone afterwards."""
    yield
    remove_people(api)


@pytest.mark.parametrize("action", CHANGING, ids=name_of)
def test_every_changing_route_writes_an_entry_with_its_actor_and_origin(
    api: ApiServer, ids: dict[str, str], action: Action
) -> None:
    if action.method == "POST" and action.path.endswith("/resume"):
        with api.one.client() as client:
            client.post(f"hosts/{ids['host_id']}/pause")
    if action.method == "DELETE" and action.path.endswith("/snooze"):
        with api.one.client() as client:
            client.post(action.path.format(**ids).removeprefix("/"), json={"for": "1h"})
    expected = action.status
    if action.method == "DELETE" and action.path.startswith("/roots/"):
        with api.one.client() as client:
            root = client.post("roots", json={"pem": issue(Options(ca=True)).pem.decode()}).json()
        ids, expected = {**ids, "sha256": root["sha256"]}, 204
    person = add_person(api, api.one, "owner")
    before = len(entries(api))
    outbox = "select count(*) as n from config.outbox where aggregatetype = 'audit'"
    (copies,) = api.rows(outbox)
    with person.client() as client:
        assert send(client, api, action, ids).status_code == expected
    written = entries(api)[before:]
    assert [(entry["actor"], entry["origin"]) for entry in written] == [(f"user:{person.user_id}", "127.0.0.1")]
    (entry,) = written
    assert entry["before"] is not None or entry["after"] is not None
    assert entry["action"].split(".")[0] and ":" in entry["subject"]
    assert api.rows(outbox)[0]["n"] == copies["n"] + 1


def test_all_changing_addresses_of_a_workspace_are_tried(app: Any) -> None:
    changing = {one.path for one in addresses(app) if one.path.startswith(BASE) and one.method not in {"GET", "HEAD"}}
    assert changing - {f"{BASE}/rules/preview"} == {BASE + action.path for action in CHANGING}


def test_an_edit_tells_what_was_and_what_is(api: ApiServer, one: httpx.Client) -> None:
    host = added(one, owner="ann", tags=["a"])
    one.patch(f"hosts/{host['host_id']}", json={"owner": None, "tags": ["a"], "interval": "6h"})
    edit, add = last(one, 2, subject=f"host:{host['host_id']}")
    assert (edit["action"], add["action"]) == ("host.edit", "host.add")
    assert edit["before"] == {"version": 1, "interval": "1h", "owner": "ann"}
    assert edit["after"] == {"version": 2, "interval": "6h", "owner": None}
    assert add["before"] is None and add["after"]["hostname"] == host["hostname"]


def test_what_changes_nothing_or_fails_writes_nothing_and_a_repetition_nothing_more(
    api: ApiServer, one: httpx.Client
) -> None:
    host = added(one, owner="ann")
    before = len(entries(api))
    assert one.patch(f"hosts/{host['host_id']}", json={"owner": "ann"}).status_code == 200
    assert one.post(f"hosts/{host['host_id']}/resume").status_code == 200
    assert one.patch(f"hosts/{host['host_id']}", json={"owner": "x"}, headers={"If-Match": '"7"'}).status_code == 412
    assert one.post("hosts", json={"hostname": host["hostname"]}).status_code == 409
    assert len(entries(api)) == before
    for _ in range(2):
        body, headers = {"hostname": "once.example"}, {"Idempotency-Key": "audit-once"}
        assert one.post("hosts", json=body, headers=headers).status_code == 201
    assert len(entries(api)) == before + 1


def test_a_refusal_is_told_without_changing_anything(api: ApiServer, one: httpx.Client) -> None:
    host = added(one)
    viewer = add_person(api, api.one, "viewer")
    with viewer.client() as client:
        assert client.delete(f"{api.base_url}{BASE}/hosts/{host['host_id']}".format(workspace="one")).status_code == 403
    (entry,) = last(one, actor=f"user:{viewer.user_id}")
    assert (entry["action"], entry["subject"]) == ("access.refuse", "permission:host.delete")
    assert entry["after"]["path"].endswith(host["host_id"]) and entry["after"]["role"] == "viewer"
    assert one.get(f"hosts/{host['host_id']}").status_code == 200


def test_a_caller_refused_again_and_again_does_not_fill_the_log(api: ApiServer, one: httpx.Client) -> None:
    viewer = add_person(api, api.one, "viewer")
    with viewer.client() as client:
        for _ in range(MOST_A_MINUTE + 15):
            assert client.get(f"{api.base_url}{BASE}/audit".format(workspace="one")).status_code == 403
    told = last(one, 200, actor=f"user:{viewer.user_id}", action="access.refuse")
    assert MOST_A_MINUTE <= len(told) <= 2 * MOST_A_MINUTE
    assert len(told) < MOST_A_MINUTE + 15 or sum(entry["after"].get("more", 0) for entry in told) == 0


def test_pages_and_filters(api: ApiServer, one: httpx.Client) -> None:
    member = add_person(api, api.one, "member")
    with api.one.client() as owner, member.client() as client:
        hosts = [
            client.post(f"{api.base_url}{BASE}/hosts".format(workspace="one"), json={"hostname": f"{uuid4()}.example"})
            for _ in range(5)
        ]
        host_id = hosts[2].json()["host_id"]
        owner.post(f"hosts/{host_id}/pause")
    actor = f"user:{member.user_id}"
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = one.get("audit", params={"actor": actor, "limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += page["items"]
        cursor = page["next"]
    assert [entry["subject"] for entry in seen] == [f"host:{host.json()['host_id']}" for host in reversed(hosts)]
    assert {entry["actor_name"] for entry in seen} == {"Member"}
    assert [entry["action"] for entry in last(one, 9, subject=f"host:{host_id}")] == ["host.pause", "host.add"]
    assert [entry["action"] for entry in last(one, 9, subject=f"host:{host_id}", action="host.pause")] == ["host.pause"]
    assert len(last(one, 9, subject=f"host:{host_id}", action="host")) == 2
    assert last(one, 9, subject=f"host:{host_id}", action="hos") == []
    middle = seen[2]["at"]
    since = last(one, 9, actor=actor, since=middle)
    until = last(one, 9, actor=actor, until=middle)
    assert [len(since), len(until)] == [3, 2] and since[-1]["at"] == middle


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-01-01T00:00:00", "limit=0", "cursor=x", "surprise=1", "actor=a%00b"],
)
def test_bad_filters_are_refused(one: httpx.Client, query: str) -> None:
    assert one.get(f"audit?{query}").status_code == 422


def test_the_export_holds_the_whole_chain_and_can_be_verified_by_itself(api: ApiServer, one: httpx.Client) -> None:
    for _ in range(3):
        added(one)
    answer = one.get("audit/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert 'filename="audit-one.ndjson"' in answer.headers["content-disposition"]
    exported = [decode_value(line, AuditEntry) for line in answer.content.splitlines()]
    assert len(exported) == len(entries(api))
    assert list(verify_chain(exported, Link(exported[-1].sequence, exported[-1].hash))) == []


def test_a_csv_cell_begins_no_formula(api: ApiServer, one: httpx.Client) -> None:
    host = added(one)
    with psycopg.connect(api.api_url) as connection:  # no actor of ours looks like this; a sign-in's might
        connection.execute("select set_config('vigilo.workspace', %s, true)", (str(api.two.workspace_id),))
        connection.execute(
            f"insert into config.audit_entries ({COLUMNS}) "
            "select %s, sequence + 1, now(), '=cmd|calc', '@a', '+1', hash, repeat('a', 64) "
            "from config.lock_audit_head()",
            (api.two.workspace_id,),
        )
    with api.two.client() as client:
        rows = list(csv.DictReader(io.StringIO(client.get("audit/export?format=csv").text)))
    assert [(row["actor"], row["action"], row["subject"]) for row in rows][-1] == ("'=cmd|calc", "'@a", "'+1")
    rows = list(csv.DictReader(io.StringIO(one.get("audit/export?format=csv&action=host.add").text)))
    assert json.loads(rows[-1]["after"])["hostname"] == host["hostname"]


def test_secrets_never_appear(api: ApiServer, one: httpx.Client) -> None:
    hidden = ["path-a-secret", "path-b-secret", "whsec_" + "QUFB" * 11, "vgl_" + "n" * 43, "hunter2"]
    secret = {"secret": hidden[2]}
    url = "https://hooks.example/" + hidden[0]
    channel = one.post("channels", json={"kind": "webhook", "name": "c", "url": url}).json()
    body = {"url": "https://hooks.example/" + hidden[1], **secret}
    assert one.patch(f"channels/{channel['channel_id']}", json=body).status_code == 200
    (edit,) = last(one)
    assert edit["after"]["renewed"] == ["url", "secret"]
    assert one.delete(f"channels/{channel['channel_id']}").status_code == 204
    made = one.post("tokens", json={"kind": "service", "name": "t"}).json()["token"]
    invitation = one.post("invitations", json={"role": "viewer"}).json()["token"]
    added(one, notes=f"use {hidden[3]}", runbook_url="https://ann:hunter2@wiki.example/")
    told = json.dumps(api.rows("select * from config.audit_entries"), default=str)
    told += json.dumps(api.rows("select payload from config.outbox where aggregatetype = 'audit'"))
    told += one.get("audit/export").text
    for text in (*hidden, made, invitation, channel["secret"], *api.one.tokens.values()):
        assert text not in told


def test_workspaces_do_not_see_each_others_entries(api: ApiServer, one: httpx.Client, two: httpx.Client) -> None:
    mine, theirs = added(one), added(two)
    for client, own, other in ((one, mine, theirs), (two, theirs, mine)):
        for text in (client.get("audit?limit=200").text, client.get("audit/export").text):
            assert own["host_id"] in text and other["host_id"] not in text
        assert last(client, subject=f"host:{other['host_id']}") == []
    sequences = [entry["sequence"] for entry in entries(api, "two")]
    assert sequences == list(range(1, len(sequences) + 1))


def test_rules_are_told_too(one: httpx.Client) -> None:
    rule = one.post("rules", json=RULE).json()
    one.patch(f"rules/{rule['rule_id']}", json={"severity": "critical"})
    one.delete(f"rules/{rule['rule_id']}")
    told = last(one, 3, subject=f"rule:{rule['rule_id']}")
    assert [entry["action"] for entry in told] == ["rule.delete", "rule.edit", "rule.create"]
    assert (told[1]["before"]["severity"], told[1]["after"]["severity"]) == ("info", "critical")
    assert told[0]["after"] is None


def test_who_takes_an_invitation_is_told_where_it_leads(api: ApiServer, one: httpx.Client) -> None:
    guest = add_person(api, api.two, "viewer")
    token = one.post("invitations", json={"role": "member"}).json()["token"]
    elsewhere = len(entries(api, "two"))
    with guest.client() as client:
        answer = client.post(f"{api.base_url}/api/v1/invitations/accept", json={"token": token})
    assert answer.status_code == 200, answer.text
    (entry,) = last(one)
    assert (entry["actor"], entry["subject"]) == (f"user:{guest.user_id}", f"user:{guest.user_id}")
    assert entry["after"]["role"] == "member"
    assert len(entries(api, "two")) == elsewhere
