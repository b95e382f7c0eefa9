"""A rule tried before it is saved, and why one has, or has not, an alert: over HTTP, on a read model of real events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio

from services.api.migrate import migrate
from tests.fakes.alerts import transition
from tests.fakes.api_client import Tenant, api_settings, client_of, furnish
from tests.fakes.observations import WORKSPACES, derived, host_of, in_partitions, path_certificate, target_of
from tests.fakes.read_model import Letters, replayed
from vigilo.adapters.settings import KafkaSettings
from vigilo.events import ids
from vigilo.events.alerts import AlertRuleRef, AlertTransition, TransitionKind
from vigilo.events.cards import ReportCard, Verdict
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.rules import AlertRule
from vigilo.events.scans import Outcome

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNREACHABLE: dict[str, Any] = {
    "name": "Gone",
    "severity": "critical",
    "trigger": {"kind": "unreachable"},
    "open_after": 3,
    "close_after": 1,
}
Known = tuple[str, list[Tenant]]
# Hours ago at which the host of workspace one could not be reached; hourly scans of ten days.
HOURS = 240
OUTAGES = (range(200, 195, -1), range(150, 146, -1), range(100, 90, -1), range(60, 58, -1), range(5, 0, -1))


def card(host: int, ago: int, *, late: bool = False) -> ReportCard:
    gone = host == 0 and any(ago in outage for outage in OUTAGES)
    leaf = path_certificate(host).model_copy(update={"not_before": NOW - 60 * DAY, "not_after": NOW + 25 * DAY})
    return ReportCard(
        scan_id=derived("scan", host, ago, late),
        target=target_of(host),
        requested_at=NOW - ago * HOUR - (late * HOUR / 2),
        late=late,
        outcome=Outcome.CONNECT_TIMEOUT if gone or late else Outcome.OK,
        path=() if gone or late else (leaf,),
        chain_valid=Verdict.UNKNOWN if gone else Verdict.YES,
        rulebook="vigilo-2026",
        trust_store="test",
        graded_at=NOW - ago * HOUR,
    )


def encoded() -> Iterator[EncodedEvent]:
    for ago in range(HOURS, 0, -1):
        for host in (0, 1, 2):
            for one in (card(host, ago), *([card(host, ago, late=True)] if ago % 30 == 0 else [])):
                key = str(one.host_id)
                outgoing = OutgoingEvent("report-cards", key, ids.report_card_id(one.scan_id), one, one.graded_at)
                yield encode(outgoing, source="test")


def project(url: str, events: Iterator[EncodedEvent]) -> None:
    drawn = in_partitions(events, partitions=1)
    now_ms = int((NOW + HOUR).timestamp() * 1000)
    refused = Letters()
    logs = {one: [replace(record, timestamp_ms=now_ms) for record in log] for one, log in drawn.items()}
    asyncio.run(replayed(url, logs, partitions=1, size=97, letters=refused))
    assert refused.reasons == []


@pytest.fixture(scope="module")
def known(module_database: str) -> Known:
    migrate(module_database, {})
    tenants = furnish(module_database, hosts=4)
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute("update config.hosts set created_at = %s", (NOW - 90 * DAY,))
        # The names by which the cards met them, so that today's peer is theirs.
        for number in range(4):
            name = (target_of(number).hostname, host_of(number))
            connection.execute("update config.hosts set hostname = %s where host_id = %s", name)
        connection.execute("update config.hosts set tags = '{edge}' where host_id = %s", (host_of(2),))
    project(module_database, encoded())
    return module_database, tenants


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(known: Known) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api_settings(known[0], KafkaSettings())) as running:
        yield running


async def posted(client: httpx.AsyncClient, tenant: Tenant, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(tenant.url(path), headers=tenant.headers, json=body)
    assert response.status_code in {200, 201}, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def got(client: httpx.AsyncClient, tenant: Tenant, path: str) -> dict[str, Any]:
    response = await client.get(tenant.url(path), headers=tenant.headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_preview_tells_what_would_have_opened_and_closed(client: httpx.AsyncClient, known: Known) -> None:
    answer = await posted(client, known[1][0], "/rules/preview", {"rule": UNREACHABLE})
    totals = answer["totals"]
    assert (totals["hosts"], totals["fired"], totals["opened"], totals["closed"]) == (2, 1, 4, 3)
    assert (totals["open_now"], totals["open_always"], totals["flapping"]) == (1, 0, 1)
    (host,) = answer["hosts"]
    assert host["host"]["host_id"] == str(host_of(0)) and host["flapping"] and host["open_now"]
    # Opened by the third scan in a row that found nobody, closed by the first that found somebody.
    expected = [(198, 195), (148, 146), (98, 90), (3, None)]
    assert [(ago(one["opened_at"]), ago(one["closed_at"])) for one in host["episodes"]] == expected
    assert answer["known_since"] == (NOW - HOURS * HOUR).isoformat().replace("+00:00", "Z")
    assert "4 alerts on 1 of 2 hosts" in answer["sentence"] and "snoozes" in " ".join(answer["assumptions"])


def ago(instant: str | None) -> int | None:
    return None if instant is None else (NOW - datetime.fromisoformat(instant)) // HOUR


async def test_what_was_true_all_the_time_is_open_always(client: httpx.AsyncClient, known: Known) -> None:
    rule = {"name": "x", "severity": "info", "trigger": {"kind": "expires-in-less-than", "days": 90}, "open_after": 4}
    answer = await posted(client, known[1][0], "/rules/preview", {"rule": rule, "days": 5})
    assert answer["totals"]["open_always"] == 2 and all(one["open_always"] for one in answer["hosts"])


async def test_a_threshold_crossed_in_the_middle_is_confirmed_by_the_scans_after_it(
    client: httpx.AsyncClient, known: Known
) -> None:
    rule = {"name": "x", "severity": "info", "trigger": {"kind": "expires-in-less-than", "days": 28}, "open_after": 3}
    answer = await posted(
        client, known[1][0], "/rules/preview", {"rule": {**rule, "scope": {"kind": "tag", "tag": "edge"}}}
    )
    # Not quite 25 days are left: 28 were 72 hours ago, then came two scans more.
    assert [ago(one["opened_at"]) for one in answer["hosts"][0]["episodes"]] == [70]


async def test_a_draft_is_held_against_the_rule_as_it_is(client: httpx.AsyncClient, known: Known) -> None:
    saved = await posted(client, known[1][0], "/rules", UNREACHABLE)
    body = {"rule": {**UNREACHABLE, "open_after": 5}, "rule_id": saved["rule_id"]}
    answer = await posted(client, known[1][0], "/rules/preview", body)
    assert answer["sentence"].endswith("Against version 1 as it is: 0 more, 1 fewer, 3 at other times.")
    # One outage of four is too short now, the others open two scans later.
    assert [answer["compared"][name] for name in ("added", "removed", "moved")] == [0, 1, 3]
    same = await posted(client, known[1][0], "/rules/preview", {"rule": UNREACHABLE, "rule_id": saved["rule_id"]})
    assert same["compared"]["differences"] == []
    elsewhere = {**UNREACHABLE, "scope": {"kind": "tag", "tag": "edge"}}
    gone = await posted(client, known[1][0], "/rules/preview", {"rule": elsewhere, "rule_id": saved["rule_id"]})
    assert (gone["totals"]["hosts"], gone["compared"]["removed"]) == (1, 4)


async def test_a_disabled_rule_opens_nothing_to_compare_with(client: httpx.AsyncClient, known: Known) -> None:
    saved = await posted(client, known[1][0], "/rules", {**UNREACHABLE, "enabled": False})
    body = {"rule": UNREACHABLE, "rule_id": saved["rule_id"]}
    compared = (await posted(client, known[1][0], "/rules/preview", body))["compared"]
    assert (compared["enabled"], compared["added"], compared["removed"], compared["moved"]) == (False, 4, 0, 0)


async def test_a_host_that_was_never_scanned_is_overdue_by_its_record(client: httpx.AsyncClient, known: Known) -> None:
    tenant = known[1][1]
    rule = {"name": "Overdue", "severity": "warning", "trigger": {"kind": "scan-overdue", "intervals": 3}}
    answer = await posted(client, tenant, "/rules/preview", {"rule": rule, "days": 5})
    (host,) = (one for one in answer["hosts"] if one["host"]["host_id"] == str(host_of(3)))
    assert host["open_always"] and host["opened"] == 1
    why = await asked(client, tenant, rule, host_of(3))
    assert (why["now"]["answer"], why["now"]["decider"]) == ("true", "answer")
    assert "no scan was performed yet (due every 1h)" in why["sentence"]


async def test_after_a_pause_nothing_is_known_until_a_scan_and_nothing_is_overdue(
    client: httpx.AsyncClient, known: Known
) -> None:
    tenant, host = known[1][1], host_of(1)
    rule = {"name": "Overdue", "severity": "warning", "trigger": {"kind": "scan-overdue", "intervals": 2}}
    with psycopg.connect(known[0], autocommit=True) as connection:
        connection.execute("update config.hosts set interval = '5m' where host_id = %s", (host,))
    assert (await asked(client, tenant, rule, host))["now"]["answer"] == "true"  # the last scan was an hour ago
    await posted(client, tenant, f"/hosts/{host}/pause", {})
    assert (await asked(client, tenant, {}, host))["now"]["decider"] == "host-paused"
    await posted(client, tenant, f"/hosts/{host}/resume", {})
    assert (await asked(client, tenant, rule, host))["now"]["answer"] == "false"
    assert (await asked(client, tenant, {}, host))["now"]["decider"] == "no-scan"


async def test_a_workspace_tries_rules_on_its_own_hosts_alone(client: httpx.AsyncClient, known: Known) -> None:
    answer = await posted(client, known[1][1], "/rules/preview", {"rule": UNREACHABLE})
    # Of its second host nothing was ever scanned.
    assert (answer["totals"]["hosts"], answer["totals"]["unjudged"], answer["totals"]["opened"]) == (2, 1, 0)
    strange = await client.post(
        known[1][1].url("/rules/preview"),
        headers=known[1][1].headers,
        json={"rule": {**UNREACHABLE, "scope": {"kind": "host", "host_id": str(host_of(0))}}},
    )
    assert strange.status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rule": UNREACHABLE, "days": 91}, "days"),
        ({"rule": UNREACHABLE, "days": 0}, "days"),
        ({"rule": {**UNREACHABLE, "trigger": {"kind": "unheard-of"}}}, "rule.trigger.kind"),
        ({"days": 3}, "rule"),
    ],
)
async def test_a_bad_draft_is_refused_by_field(
    client: httpx.AsyncClient, known: Known, body: dict[str, Any], field: str
) -> None:
    tenant = known[1][0]
    response = await client.post(tenant.url("/rules/preview"), headers=tenant.headers, json=body)
    assert response.status_code == 422 and response.json()["errors"][0]["field"] == field


async def asked(client: httpx.AsyncClient, tenant: Tenant, fields: dict[str, Any], host: UUID) -> dict[str, Any]:
    rule = await posted(client, tenant, "/rules", {**UNREACHABLE, **fields})
    return await got(client, tenant, f"/rules/{rule['rule_id']}/why?host={host}")


async def test_why_names_what_decides(client: httpx.AsyncClient, known: Known) -> None:
    tenant = known[1][0]
    expires = {"trigger": {"kind": "expires-in-less-than", "days": 7}}
    no = await asked(client, tenant, expires, host_of(2))
    assert (no["now"]["decider"], no["now"]["answer"]) == ("answer", "false")
    assert no["now"]["changes_at"] is not None and "Unless a scan tells otherwise" in no["sentence"]
    assert no["now"]["facts"]["days_left"] < 25 and no["now"]["scans"] == HOURS and no["now"]["facts"]["scan_id"]
    outside = await asked(client, tenant, {"scope": {"kind": "tag", "tag": "edge"}}, host_of(0))
    assert (outside["now"]["decider"], outside["now"]["in_scope"]) == ("out-of-scope", False)
    disabled = await asked(client, tenant, {"enabled": False}, host_of(0))
    assert disabled["now"]["decider"] == "rule-disabled"
    unknown = await asked(client, tenant, {"trigger": {"kind": "not-tls"}}, host_of(0))
    assert (unknown["now"]["decider"], unknown["now"]["answer"]) == ("unknown", "unknown")
    never = await asked(client, known[1][1], expires, host_of(3))
    assert never["now"]["decider"] == "no-scan"
    assert (await asked(client, tenant, {}, host_of(0)))["now"]["answer"] == "true"


async def test_why_names_the_snoozes_that_cover_it(client: httpx.AsyncClient, known: Known) -> None:
    tenant = known[1][0]
    rule = await posted(client, tenant, "/rules", UNREACHABLE)
    await posted(client, tenant, f"/rules/{rule['rule_id']}/snooze", {"for": "1h", "reason": "moving house"})
    answer = await got(client, tenant, f"/rules/{rule['rule_id']}/why?host={host_of(0)}")
    (snooze,) = answer["now"]["snoozes"]
    assert (snooze["kind"], snooze["reason"]) == ("rule", "moving house") and "moving house" in answer["sentence"]


async def test_why_counts_what_confirms_a_pending_alert(client: httpx.AsyncClient, known: Known) -> None:
    tenant = known[1][0]
    rule = await posted(client, tenant, "/rules", {**UNREACHABLE, "open_after": 9})
    # Pending since the first of the five scans that found nobody.
    one = pending(AlertRule.model_validate(rule), at=NOW - 5 * HOUR + timedelta(seconds=2))
    outgoing = OutgoingEvent("alerts", str(one.host_id), one.transition_id, one, one.at)
    await asyncio.to_thread(project, known[0], iter([encode(outgoing, source="test")]))
    alert = one.alert_id
    answer = await got(client, tenant, f"/rules/{rule['rule_id']}/why?host={host_of(0)}")
    assert answer["now"]["decider"] == "pending" and answer["now"]["counting"] == {"count": 5, "needed": 9}
    assert "5 of 9 answers" in answer["sentence"]
    of_alert = await got(client, tenant, f"/alerts/{alert}/why")
    assert of_alert["now"]["decider"] == "pending" and of_alert["alert"]["rule_version_now"] == 1
    assert of_alert["transitions"][0]["decided_by"]["topic"] and of_alert["transitions"][0]["kind"] == "pending"
    response = await client.delete(tenant.url(f"/rules/{rule['rule_id']}"), headers=tenant.headers)
    assert response.status_code == 204
    former = await got(client, tenant, f"/alerts/{alert}/why")
    assert former["now"] is None and former["alert"]["rule_version_now"] is None and former["transitions"]


def pending(rule: AlertRule, *, at: datetime) -> AlertTransition:
    ref = AlertRuleRef(
        rule_id=rule.rule_id, version=rule.version, name=rule.name, trigger=rule.trigger, severity=rule.severity
    )
    one = transition(TransitionKind.PENDING, workspace_id=WORKSPACES[0], host_id=host_of(0), at=at)
    return one.model_copy(update={"rule": ref, "scans_to_confirm": 8, "opened_at": at})


async def test_why_of_what_is_not_there_is_not_found(client: httpx.AsyncClient, known: Known) -> None:
    tenant, other = known[1]
    rule = await posted(client, tenant, "/rules", UNREACHABLE)
    paths = (
        f"/rules/{rule['rule_id']}/why?host={host_of(1)}",
        f"/rules/{host_of(0)}/why?host={host_of(0)}",
        f"/alerts/{host_of(0)}/why",
    )
    for path in paths:
        assert (await client.get(tenant.url(path), headers=tenant.headers)).status_code == 404, path
    strange = other.url(f"/rules/{rule['rule_id']}/why?host={host_of(0)}")
    assert (await client.get(strange, headers=other.headers)).status_code == 404
