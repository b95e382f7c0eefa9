"""Private anchors: added as PEM or from what a host shows, told as settings, hosts concerned looked at again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from services.api.commands import roots
from tests.fakes.api_server import ApiServer
from tests.fakes.pki import Authority, Issued, Options, issue

pytestmark = pytest.mark.postgres

AUTHORITY = Authority.create("Own")


@pytest.fixture(autouse=True)
def clean(api: ApiServer) -> Iterator[None]:
    yield
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute("update config.workspaces set private_roots = '{}'")
        connection.execute("update config.hosts set status = 'deleted' where status <> 'deleted'")


def add(client: httpx.Client, issued: Issued) -> httpx.Response:
    return client.post("roots", json={"pem": issued.pem.decode()})


def refusal(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    return dict(answer.json()["errors"][0])


def outbox(api: ApiServer) -> list[dict[str, Any]]:
    return [
        {"topic": row["aggregatetype"], "key": row["aggregateid"], **json.loads(row["payload"])}
        for row in api.rows("select * from config.outbox where aggregatetype <> 'audit' order by position")
    ]


def watched(api: ApiServer, client: httpx.Client, *, valid: str, shows: tuple[Issued, ...] = (), **more: Any) -> str:
    """A host whose newest card says that of its chain."""
    host = client.post("hosts", json={"hostname": f"{uuid4()}.example", **more}).json()["host_id"]
    workspace, scan, now = api.one.workspace_id, uuid4(), datetime.now(UTC)
    trust = [{"domain": "private", "trusted": valid}]
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute(
            "insert into read_model.host_report_cards (host_id, workspace_id, requested_at, scan_id, outcome, "
            "chain_valid, name_matches, graded_at) values (%s, %s, %s, %s, 'ok', %s, 'yes', %s)",
            (host, workspace, now, scan, valid, now),
        )
        connection.execute(
            "insert into read_model.report_cards (workspace_id, host_id, requested_at, scan_id, outcome, event, "
            "source_partition, source_offset) values (%s, %s, %s, %s, 'ok', %s, 0, 0)",
            (workspace, host, now, scan, Jsonb({"trust": trust})),
        )
        _show(connection, workspace, host, shows)
    return str(host)


def _show(connection: psycopg.Connection[Any], workspace: object, host: str, shows: tuple[Issued, ...]) -> None:
    now, prints = datetime.now(UTC), [bytes.fromhex(roots.fingerprint(one.pem.decode())) for one in shows]
    for one, sha256 in zip(shows, prints, strict=True):
        connection.execute(
            "insert into read_model.certificates values (%s, %s) on conflict do nothing", (sha256, one.der)
        )
        connection.execute(
            "insert into read_model.workspace_certificates values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            (workspace, sha256, now, now, uuid4(), host),
        )
    if shows:
        connection.execute(
            "insert into read_model.host_chains (host_id, workspace_id, requested_at, scan_id, leaf_sha256, "
            "leaf_subject, leaf_issuer, chain_sha256) values (%s, %s, %s, %s, %s, '', '', %s)",
            (host, workspace, now, uuid4(), prints[0], prints),
        )


def test_a_root_is_shown_listed_told_and_removed(api: ApiServer, one: httpx.Client, two: httpx.Client) -> None:
    made = add(one, AUTHORITY.root)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["kind"], shown["subject"], shown["rescans"]) == ("root", "CN=Own Root", 0)
    assert add(one, AUTHORITY.root).status_code == 200
    assert [item["sha256"] for item in one.get("roots").json()["items"]] == [shown["sha256"]]
    assert two.get("roots").json()["items"] == []
    told = outbox(api)[-1]
    assert (told["topic"], told["key"]) == ("workspace-settings", str(api.one.workspace_id))
    assert told["private_roots"] == [AUTHORITY.root.pem.decode()]
    assert two.delete(f"roots/{shown['sha256']}").status_code == 404
    assert one.delete(f"roots/{shown['sha256']}").status_code == 204
    assert one.delete(f"roots/{shown['sha256']}").status_code == 404
    after = outbox(api)[-1]
    assert (after["private_roots"], after["version"]) == ([], told["version"] + 1)
    actions = [entry["action"] for entry in one.get("audit").json()["items"][:2]]
    assert sorted(actions) == ["root.add", "root.delete"]


@pytest.mark.parametrize(
    ("issued", "kind"),
    [
        (AUTHORITY.root, "root"),
        (AUTHORITY.intermediate, "intermediate"),
        (AUTHORITY.leaf("a.test"), "pinned-leaf"),
        (issue(Options(names=("b.test",))), "pinned-leaf"),
    ],
)
def test_the_kind_says_what_trust_means(one: httpx.Client, issued: Issued, kind: str) -> None:
    assert add(one, issued).json()["kind"] == kind


def test_hosts_concerned_are_looked_at_lightly_and_after_the_settings(api: ApiServer, one: httpx.Client) -> None:
    bad = watched(api, one, valid="no")
    good = watched(api, one, valid="yes")
    watched(api, one, valid="no", trust="public")
    paused = watched(api, one, valid="no")
    one.post(f"hosts/{paused}/pause")
    added = add(one, AUTHORITY.root).json()
    assert added["rescans"] == 1
    settings, command = outbox(api)[-2:]
    assert settings["topic"] == "workspace-settings"
    assert (command["topic"], command["key"], command["kind"]) == ("host-commands", bad, "rejudge")
    one.delete(f"roots/{added['sha256']}")
    settings, command = outbox(api)[-2:]
    assert (settings["topic"], command["key"], command["kind"]) == ("workspace-settings", good, "rejudge")


def test_what_a_host_shows_can_be_trusted_without_its_bytes(api: ApiServer, one: httpx.Client) -> None:
    leaf = AUTHORITY.leaf("a.test")
    host = watched(api, one, valid="no", shows=(leaf, AUTHORITY.intermediate))
    issuer = roots.fingerprint(AUTHORITY.intermediate.pem.decode())
    added = one.post("roots", json={"from_host": host, "certificate": issuer})
    assert (added.status_code, added.json()["pem"]) == (201, AUTHORITY.intermediate.pem.decode())
    other = refusal(one.post("roots", json={"from_host": host, "certificate": "0" * 64}))
    assert other["field"] == "certificate"
    assert issuer in other["allowed"]


def test_a_host_of_another_workspace_is_none(api: ApiServer, one: httpx.Client, two: httpx.Client) -> None:
    host = watched(api, one, valid="no", shows=(AUTHORITY.intermediate,))
    sha256 = roots.fingerprint(AUTHORITY.intermediate.pem.decode())
    assert refusal(two.post("roots", json={"from_host": host, "certificate": sha256}))["field"] == "from_host"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "pem"),
        ({"pem": AUTHORITY.root.pem.decode() * 2}, "pem"),
        ({"pem": "x" * 70_000}, "pem"),
        ({"pem": "none"}, "pem"),
        ({"from_host": str(uuid4())}, "body"),
        ({"pem": AUTHORITY.root.pem.decode(), "certificate": "0" * 64}, "body"),
        ({}, "body"),
        ({"certificate": "zz", "from_host": str(uuid4())}, "certificate"),
    ],
)
def test_refusals_name_the_field(one: httpx.Client, body: dict[str, Any], field: str) -> None:
    found = refusal(one.post("roots", json=body))
    assert found["field"] == field or field == "body"
    assert found["allowed"]


def test_there_are_at_most_a_hundred(one: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "ROOTS_MAX", 1)
    assert add(one, AUTHORITY.root).status_code == 201
    answer = add(one, AUTHORITY.intermediate)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:vigilo:problem:too-many-roots")
