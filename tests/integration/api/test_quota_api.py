"""The plan of a workspace, asked by real requests, also by two hundred at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from tests.fakes.api_server import ApiServer
from vigilo_cli.quota import app as vigilo_quota

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def empty(api: ApiServer) -> Iterator[None]:
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute("update config.hosts set status = 'deleted' where status <> 'deleted'")
    yield
    allow(api, None)


def allow(api: ApiServer, scans_per_day: int | None) -> None:
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute(
            "update config.workspaces set scans_per_day = %s where workspace_id = %s",
            (scans_per_day, api.one.workspace_id),
        )


def add(client: httpx.Client, name: str, interval: str = "1h") -> httpx.Response:
    return client.post("hosts", json={"hostname": f"{name}.example", "interval": interval})


def test_without_a_plan_there_is_no_limit(one: httpx.Client) -> None:
    assert add(one, "a", "5m").status_code == 201
    answer = one.get("quota").json()
    assert (answer["limit"], answer["used"], answer["remaining"]) == (None, 288, None)
    assert answer["shortest_interval_that_fits"] == "5m"
    assert {one["interval"]: one["hosts"] for one in answer["by_interval"]}["5m"] == 1


def test_a_host_that_does_not_fit_is_refused_with_what_would(api: ApiServer, one: httpx.Client) -> None:
    allow(api, 30)
    assert add(one, "a").status_code == 201
    refused = add(one, "b")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["type"] == "urn:vigilo:problem:quota-exceeded"
    assert (problem["cost"], problem["limit"], problem["used"], problem["remaining"]) == (24, 30, 24, 6)
    assert problem["shortest_interval_that_fits"] == "6h"
    assert api.rows("select 1 from config.hosts where hostname = 'b.example'") == []
    assert add(one, "b", "6h").status_code == 201
    assert one.get("quota").json()["remaining"] == 2


def test_edits_and_resumes_ask_the_plan_too_and_cheaper_is_always_allowed(api: ApiServer, one: httpx.Client) -> None:
    host = add(one, "a", "1h").json()["host_id"]
    other = add(one, "b", "1h").json()["host_id"]
    one.post(f"hosts/{other}/pause")
    allow(api, 24)
    refused = one.patch(f"hosts/{host}", json={"interval": "5m"})
    assert (refused.status_code, refused.json()["shortest_interval_that_fits"]) == (409, "1h")
    assert one.post(f"hosts/{other}/resume").status_code == 409
    assert one.get(f"hosts/{other}").json()["status"] == "paused"
    allow(api, 5)  # a smaller plan takes nothing away
    assert one.patch(f"hosts/{host}", json={"owner": "x"}).status_code == 200
    assert one.patch(f"hosts/{host}", json={"interval": "6h"}).status_code == 200
    assert one.patch(f"hosts/{other}", json={"interval": "24h"}).status_code == 200
    assert one.post(f"hosts/{other}/resume").status_code == 200
    assert one.get("quota").json()["used"] == 5


def test_the_plan_of_one_workspace_is_not_spent_by_another(
    api: ApiServer, one: httpx.Client, two: httpx.Client
) -> None:
    allow(api, 0)
    assert add(one, "a", "24h").status_code == 409
    assert add(two, "a", "5m").status_code == 201
    assert two.get("quota").json()["limit"] is None


def test_two_hundred_at_once_end_exactly_at_the_quota(api: ApiServer, one: httpx.Client) -> None:
    fit = 37
    allow(api, 24 * 10 + 24 * fit + 23)
    for number in range(10):
        assert add(one, f"before-{number}").status_code == 201

    async def rush() -> list[int]:
        token = {"Authorization": f"Bearer {api.one.tokens['member']}"}
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(headers=token, timeout=60, limits=limits, trust_env=False) as client:
            url = f"{api.base_url}/api/v1/workspaces/one/hosts"
            answers = await asyncio.gather(
                *(client.post(url, json={"hostname": f"rush-{number}.example"}) for number in range(200))
            )
        return [answer.status_code for answer in answers]

    assert Counter(asyncio.run(rush())) == {201: fit, 409: 200 - fit}
    quota = one.get("quota").json()
    assert (quota["used"], quota["remaining"]) == (24 * (10 + fit), 23)
    told = api.rows(
        "select count(*) as n from config.outbox where aggregatetype = 'hosts' and payload like '%%rush-%%'"
    )
    assert told == [{"n": fit}]


def test_the_service_may_not_give_itself_a_larger_plan(api: ApiServer) -> None:
    with psycopg.connect(api.api_url, autocommit=True) as connection:
        connection.execute("select set_config('vigilo.workspace', %s, false)", (str(api.one.workspace_id),))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update config.workspaces set scans_per_day = null")


@pytest.mark.parametrize(("granted", "limit"), [("48", 48), ("unlimited", None)])
def test_the_operator_sets_the_plan_and_the_audit_log_tells_it(
    api: ApiServer, one: httpx.Client, monkeypatch: pytest.MonkeyPatch, granted: str, limit: int | None
) -> None:
    allow(api, 7)
    monkeypatch.setenv("VIGILO_DATABASE_URL", api.admin_url)
    done = CliRunner().invoke(vigilo_quota, ["set", "one", granted])
    assert done.exit_code == 0 and "(before: 7)" in done.output, done.output
    assert one.get("quota").json()["limit"] == limit
    entry = one.get("audit", params={"action": "quota.grant", "limit": 200}).json()["items"]
    told = [(item["actor"], item["before"], item["after"]) for item in entry]
    assert ("system", {"scans_per_day": 7}, {"scans_per_day": limit}) in told
    assert CliRunner().invoke(vigilo_quota, ["set", "nowhere", granted]).exit_code == 1
