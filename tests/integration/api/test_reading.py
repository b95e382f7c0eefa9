"""What the API says of what was observed, on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from services.api.migrate import migrate
from tests.fakes.api_client import Tenant, api_settings, client_of, everything, furnish
from tests.fakes.observations import Observations, certificate, der_of, host_of, in_partitions
from tests.fakes.read_model import replayed
from vigilo.adapters.settings import KafkaSettings

pytestmark = pytest.mark.postgres

HOSTS = 4
PARTITIONS = 3
Filled = tuple[str, list[Tenant]]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Filled:
    migrate(module_database, {})
    tenants = furnish(module_database, hosts=HOSTS)
    logs = in_partitions(Observations(11).draw(1_500), partitions=PARTITIONS)
    asyncio.run(replayed(module_database, logs, partitions=PARTITIONS, size=200))
    return module_database, tenants


@pytest.fixture
async def client(filled: Filled) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api_settings(filled[0], KafkaSettings())) as running:
        yield running


async def got(client: httpx.AsyncClient, tenant: Tenant, path: str, *, status: int = 200) -> Any:
    response = await client.get(tenant.url(path), headers=tenant.headers)
    assert response.status_code == status, response.text
    return response.json()


async def paged(client: httpx.AsyncClient, tenant: Tenant, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    following: str | None = tenant.url(path)
    while following is not None:
        response = await client.get(following, headers=tenant.headers)
        assert response.status_code == 200, response.text
        items += response.json()["items"]
        following = response.links.get("next", {}).get("url")
    return items


async def test_every_answer_is_good_json_and_no_address_fails(client: httpx.AsyncClient, filled: Filled) -> None:
    for tenant in filled[1]:
        answers = await everything(client, tenant, hosts=HOSTS)
        assert len(answers) > 200
        assert not {path: body for path, body in answers.items() if body[:1] == b"5"}
        assert sum(body.startswith(b"200 ") for body in answers.values()) > len(answers) // 2


async def test_pages_show_every_snapshot_once_newest_first(client: httpx.AsyncClient, filled: Filled) -> None:
    items = await paged(client, filled[1][0], f"/hosts/{host_of(0)}/snapshots?limit=7")
    with psycopg.connect(filled[0]) as admin:
        row = admin.execute("select count(*) from read_model.snapshots where host_id = %s", (host_of(0),)).fetchone()
    assert row is not None and len(items) == row[0] > 50
    order = [(item["requested_at"], item["scan_id"]) for item in items]
    assert order == sorted(set(order), reverse=True)


async def test_the_latest_snapshot_is_the_first_of_the_list(client: httpx.AsyncClient, filled: Filled) -> None:
    tenant, host = filled[1][0], f"/hosts/{host_of(2)}"
    first = (await got(client, tenant, f"{host}/snapshots?limit=1"))["items"][0]
    latest = await got(client, tenant, f"{host}/snapshots/latest")
    assert latest["scan_id"] == first["scan_id"]
    assert latest["host"] == {
        "host_id": str(host_of(2)),
        "hostname": "today-h2.example",
        "port": 443,
        "tags": ["prod"],
    }
    assert "chain_der" not in latest


async def test_a_filter_by_outcome_finds_those_and_no_others(client: httpx.AsyncClient, filled: Filled) -> None:
    base = f"/hosts/{host_of(0)}/snapshots?limit=100"
    everything_there = await paged(client, filled[1][0], base)
    refused = await paged(client, filled[1][0], f"{base}&outcome=refused")
    assert refused == [item for item in everything_there if item["outcome"] == "refused"] != []


async def test_certificate_changes_by_kind_and_by_what_a_renewal_explains(
    client: httpx.AsyncClient, filled: Filled
) -> None:
    tenant, base = filled[1][0], f"/hosts/{host_of(0)}/changes"
    there = await paged(client, tenant, f"{base}?limit=5")
    of_leaves = await paged(client, tenant, f"{base}?kind=leaf&limit=2")
    of_chains = await paged(client, tenant, f"{base}?kind=chain&limit=2")
    assert of_leaves == [item for item in there if item["old"] != item["new"]] != []
    assert of_chains == [item for item in there if item["old"] == item["new"]] != []
    unexpected = await paged(client, tenant, f"{base}?unexpected=true")
    assert unexpected == [item for item in there if item["unexpected"]] != []
    assert await paged(client, tenant, f"{base}?unexpected=false") == [one for one in there if not one["unexpected"]]


async def test_changes_told_before_there_were_kinds_are_of_leaves(client: httpx.AsyncClient, filled: Filled) -> None:
    base = f"/hosts/{host_of(0)}/changes?limit=100"
    old = (await paged(client, filled[1][0], f"{base}&kind=leaf"))[0]
    with psycopg.connect(filled[0]) as admin:
        admin.execute(
            "update read_model.certificate_changes set event = event - 'kind' - 'unexpected' where scan_id = %s",
            (old["scan_id"],),
        )
    (found,) = [
        one for one in await paged(client, filled[1][0], f"{base}&kind=leaf") if one["scan_id"] == old["scan_id"]
    ]
    assert (found["kind"], found["unexpected"], found["names_lost_count"]) == ("leaf", [], None)


async def test_a_workspace_sees_nothing_of_the_other(client: httpx.AsyncClient, filled: Filled) -> None:
    mine, other = filled[1]
    snapshot = (await got(client, other, f"/hosts/{host_of(1)}/snapshots?limit=1"))["items"][0]
    alert = (await got(client, other, "/alerts?limit=1"))["items"][0]
    delivery = (await got(client, other, "/deliveries?limit=1"))["items"][0]
    theirs = certificate(101).fingerprint_sha256
    await got(client, other, f"/certificates/{theirs}")
    for path in (
        f"/hosts/{host_of(1)}/snapshots",
        f"/hosts/{host_of(1)}/report-card",
        f"/hosts/{host_of(1)}/timeline",
        f"/hosts/{host_of(1)}/chain",
        f"/snapshots/{snapshot['scan_id']}",
        f"/alerts/{alert['alert_id']}",
        f"/deliveries/{delivery['delivery_id']}",
        f"/certificates/{theirs}",
        f"/certificates/{theirs}?format=pem",
    ):
        await got(client, mine, path, status=404)
    assert not await paged(client, mine, f"/alerts?host={host_of(1)}")
    assert not await paged(client, mine, f"/deliveries?alert={alert['alert_id']}")


async def test_a_shared_certificate_is_seen_by_both_but_not_its_hosts(
    client: httpx.AsyncClient, filled: Filled
) -> None:
    shared = certificate(1_000).fingerprint_sha256
    for number, tenant in enumerate(filled[1]):
        view = await got(client, tenant, f"/certificates/{shared}")
        assert {host["host_id"] for host in view["hosts"]} <= {str(host_of(n)) for n in range(number, HOSTS, 2)}
        assert view["hosts"] and view["facts"]["fingerprint_sha256"] == shared


async def test_pem_is_the_certificate(client: httpx.AsyncClient, filled: Filled) -> None:
    import ssl

    tenant, sha256 = filled[1][0], certificate(1_000).fingerprint_sha256
    answer = await client.get(tenant.url(f"/certificates/{sha256}?format=pem"), headers=tenant.headers)
    assert ssl.PEM_cert_to_DER_cert(answer.text) == der_of(1_000)
    assert answer.headers["content-type"].startswith("application/pem-certificate-chain")
    assert (await got(client, tenant, f"/certificates/{sha256}"))["pem"] == answer.text


async def test_alerts_by_state_severity_host_and_rule(client: httpx.AsyncClient, filled: Filled) -> None:
    tenant = filled[1][0]
    every = await paged(
        client, tenant, "/alerts?state=pending&state=open&state=acknowledged&state=suppressed&state=closed"
    )
    assert {alert["state"] for alert in every} >= {"open", "closed"}
    one = every[0]
    for name, value in (
        ("state", one["state"]),
        ("severity", one["severity"]),
        ("host", one["host"]["host_id"]),
        ("rule", one["rule"]["rule_id"]),
    ):
        found = await paged(
            client,
            tenant,
            f"/alerts?{name}={value}"
            + ("" if name == "state" else "&state=pending&state=open&state=acknowledged&state=suppressed&state=closed"),
        )
        assert one["alert_id"] in {alert["alert_id"] for alert in found}
        assert all(json.dumps(value) in json.dumps(alert) for alert in found)


async def test_an_alert_shows_its_course_and_who_acknowledged_it(client: httpx.AsyncClient, filled: Filled) -> None:
    tenant = filled[1][0]
    acknowledged = 0
    for alert in await paged(client, tenant, "/alerts"):
        detail = await got(client, tenant, f"/alerts/{alert['alert_id']}")
        numbers = [transition["n"] for transition in detail["transitions"]]
        assert numbers == sorted(set(numbers)) and numbers[-1] == detail["n"]
        last = [t for t in detail["transitions"] if t["kind"] == "acknowledged"][-1:]
        assert (detail["acknowledged"] or {}).get("at") == (last[0]["at"] if last else None)
        acknowledged += bool(last)
    assert acknowledged


async def test_what_is_not_valid_is_refused_by_name(client: httpx.AsyncClient, filled: Filled) -> None:
    tenant = filled[1][0]
    for path, field in (
        ("/alerts?state=on-fire", "state.0"),
        ("/alerts?cursor=nonsense", "cursor"),
        (
            "/alerts?cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSwiMDE5MGIwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAxIl0",
            "cursor",
        ),
        (f"/hosts/{host_of(0)}/grades?days=0", "days"),
        ("/deliveries?limit=1000", "limit"),
    ):
        problem = await got(client, tenant, path, status=422)
        assert [error["field"] for error in problem["errors"]] == [field]
