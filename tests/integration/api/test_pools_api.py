"""Pools of scanners: given by the operator's command, asked for by requests, refused to everybody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from tests.fakes.api_server import ApiServer
from vigilo.adapters.kafka.topics import missing_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.topics import scan_topics
from vigilo_cli.pool import app as vigilo_pool

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


@pytest.fixture
def operator(api: ApiServer, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    monkeypatch.setenv("VIGILO_DATABASE_URL", api.admin_url)
    monkeypatch.setenv("VIGILO_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("VIGILO_KAFKA_TOPIC_PREFIX", kafka.topic_prefix)
    monkeypatch.setenv("VIGILO_KAFKA_HOST_PARTITIONS", str(kafka.host_partitions))
    yield Operator()
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute("update config.hosts set status = 'deleted' where status <> 'deleted'")
        connection.execute("update config.workspaces set pools = '{public}'")


class Operator:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(vigilo_pool, list(words))


def add(client: httpx.Client, pool: str, name: str | None = None) -> httpx.Response:
    return client.post("hosts", json={"hostname": name or f"{uuid4()}.example", "pool": pool})


def refusal(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    return dict(error)


def test_a_pool_is_for_the_workspaces_that_were_given_it(
    operator: Operator, kafka: KafkaSettings, one: httpx.Client, two: httpx.Client
) -> None:
    assert refusal(add(one, "berlin"))["allowed"] == "one of public"
    given = operator("add", "berlin", "--workspace", "one")
    assert given.exit_code == 0, given.output
    assert "VIGILO_POOL=berlin" in given.output
    assert missing_topics(kafka, scan_topics("berlin")) == []
    assert add(one, "berlin").status_code == 201
    assert one.get("pools").json()["items"] == [{"name": "public", "hosts": 0}, {"name": "berlin", "hosts": 1}]
    assert two.get("pools").json()["items"] == [{"name": "public", "hosts": 0}]
    refused = refusal(add(two, "berlin"))
    assert (refused["field"], refused["allowed"]) == ("pool", "one of public")
    assert refused["problem"] == "there is no pool berlin for this workspace"
    listed = operator("list").output.splitlines()
    assert {"one: public, berlin", "two: public"} <= set(listed)


def test_a_host_moves_only_to_a_pool_of_its_workspace(operator: Operator, one: httpx.Client) -> None:
    host = add(one, "public").json()
    assert refusal(one.patch(f"hosts/{host['host_id']}", json={"pool": "berlin"}))["field"] == "pool"
    assert operator("add", "berlin", "--workspace", "one").exit_code == 0
    moved = one.patch(f"hosts/{host['host_id']}", json={"pool": "berlin"})
    assert (moved.status_code, moved.json()["pool"]) == (200, "berlin")


def test_each_change_is_one_version_on_the_topic_and_one_audit_entry(
    operator: Operator, api: ApiServer, one: httpx.Client
) -> None:
    before = len(told(api))
    for _ in range(2):
        assert operator("add", "berlin", "--workspace", "one").exit_code == 0
    assert operator("remove", "berlin", "--workspace", "one").exit_code == 0
    first, second = told(api)[before:]
    assert (first["pools"], second["pools"]) == (["public", "berlin"], ["public"])
    assert second["version"] == first["version"] + 1
    entries = [entry for entry in one.get("audit").json()["items"] if entry["action"] == "pools.grant"]
    assert entries[0]["before"] == {"pools": ["public", "berlin"]}
    assert entries[0]["after"] == {"pools": ["public"]}


def told(api: ApiServer) -> list[dict[str, Any]]:
    records = api.rows(
        "select payload from config.outbox where aggregatetype = 'workspace-settings' "
        f"and aggregateid = '{api.one.workspace_id}' order by position"
    )
    return [json.loads(record["payload"]) for record in records]


def test_a_pool_with_hosts_is_not_taken_away_however_hasty_the_hosts(
    operator: Operator, api: ApiServer, one: httpx.Client
) -> None:
    assert operator("add", "berlin", "--workspace", "one").exit_code == 0
    with ThreadPoolExecutor(9) as threads:
        adding = [threads.submit(add, one, "berlin") for _ in range(8)]
        removed = threads.submit(operator, "remove", "berlin", "--workspace", "one").result()
        added = [one.result().status_code for one in adding]
    assert set(added) <= {201, 422}
    # Either it went, and no host is left in it; or hosts were there, and it stayed.
    there = api.rows("select count(*) as hosts from config.hosts where pool = 'berlin' and status <> 'deleted'")[0][
        "hosts"
    ]
    assert (removed.exit_code == 0) == (there == 0)
    if there:
        assert "move or delete them first" in removed.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "now-x", "--workspace", "one"), "now-"),
        (("add", "berlin", "--workspace", "nobody"), "no workspace nobody"),
        (("remove", "public", "--workspace", "one"), "open to all"),
    ],
)
def test_what_cannot_be_is_said(operator: Operator, words: tuple[str, ...], why: str) -> None:
    refused = operator(*words)
    assert refused.exit_code == 1
    assert why in refused.output
