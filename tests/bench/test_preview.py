"""How long trying a rule takes, for 100 and for 1,000 hosts with a month of hourly scans; and by judging every card."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from services.api.migrate import migrate
from tests.bench.figures import quantile, report
from tests.bench.preview_fleet import ORIGINALS, add_hosts, fill, multiply
from tests.fakes import inputs
from tests.fakes.api_client import Tenant, api_settings, client_of, furnish
from tests.fakes.observations import WORKSPACES
from vigilo.adapters.settings import KafkaSettings
from vigilo.alerting.judging import step
from vigilo.alerting.knowledge import Course, learn, learn_course
from vigilo.alerting.lifecycle import CLOSED
from vigilo.alerting.view import View
from vigilo.events.cards import ReportCard
from vigilo.events.rules import AlertRule

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]

ROUNDS = 3
DRAFTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("expires in less than 30 days", {"trigger": {"kind": "expires-in-less-than", "days": 30}}),
    ("expires, confirmed by 3", {"trigger": {"kind": "expires-in-less-than", "days": 30}, "open_after": 3}),
    ("unreachable, confirmed by 3", {"trigger": {"kind": "unreachable"}}),
    ("grade below B", {"trigger": {"kind": "grade-below", "grade": "B"}}),
    ("scan overdue", {"trigger": {"kind": "scan-overdue", "intervals": 3}}),
)


async def asked(client: httpx.AsyncClient, tenant: Tenant, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Milliseconds until the answer is read, and the answer."""
    began = time.perf_counter()
    response = await client.post(tenant.url("/rules/preview"), headers=tenant.headers, json=body)
    took = (time.perf_counter() - began) * 1000
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return took, answer


async def measured(client: httpx.AsyncClient, tenant: Tenant, hosts: int, target: str) -> None:
    saved = await client.post(
        tenant.url("/rules"),
        headers=tenant.headers,
        json={"name": "as it is", "severity": "info", "trigger": {"kind": "expires-in-less-than", "days": 14}},
    )
    for what, fields in DRAFTS:
        for compared in (None, saved.json()["rule_id"]):
            body = {"rule": {"name": what, "severity": "info", **fields}, "rule_id": compared}
            times = []
            for _ in range(ROUNDS):
                took, answer = await asked(client, tenant, body)
                times.append(took)
            assert answer["totals"]["hosts"] == hosts
            against = ", compared" if compared else ""
            figure = f"{quantile(times, 0.5):,.0f} ms, most {max(times):,.0f} ms"
            report(f"preview, {hosts} hosts x 30 days, {what}{against}", figure, target=target)


def every_card(url: str, rule: AlertRule) -> tuple[float, int]:
    """Milliseconds to read and judge every card of the first hosts, and how many there are."""
    began, count = time.perf_counter(), 0
    host = inputs.host()
    with psycopg.connect(url) as connection:
        rows = connection.cursor("cards").execute(
            "select host_id, event from read_model.report_cards c join config.hosts h using (host_id) "
            "where 'prod' = any(h.tags) order by host_id, c.requested_at"
        )
        of, state, known, course = None, CLOSED, None, Course()
        for host_id, event in rows:
            if host_id != of:
                of, state, known, course = host_id, CLOSED, None, Course()
            card = ReportCard.model_validate(event)
            known, course = learn(known, card), learn_course(course, card)
            state = _judged(state, rule, View(host, known, course), card)
            count += 1
    return (time.perf_counter() - began) * 1000, count


def _judged(state: Any, rule: AlertRule, view: View, card: ReportCard) -> Any:
    at = card.requested_at
    return step(state, rule, view, at, cause_id=str(card.scan_id), fresh=True, snoozed=False)[0]


async def test_a_preview_of_a_month(database: str) -> None:
    migrate(database, {})
    begin = datetime.now(UTC) - timedelta(days=30)
    tenant = furnish(database, hosts=0)[0]
    add_hosts(database, at=begin)
    began = time.perf_counter()
    await fill(database, begin=begin)
    report("  filled by the projector's own code", f"{ORIGINALS * 720 / (time.perf_counter() - began):,.0f} cards/s")
    async with client_of(api_settings(database, KafkaSettings())) as client:
        await measured(client, tenant, ORIGINALS, "at most 1,000 ms")
        took, cards = await asyncio.to_thread(every_card, database, inputs.rule())
        report(f"  every card of {ORIGINALS} hosts ({cards:,}), read and judged", f"{took:,.0f} ms")
        multiply(database, hosts=1_000)
        await measured(client, tenant, 1_000, "at most 3,000 ms")
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "select count(*), pg_total_relation_size('read_model.card_runs') from read_model.card_runs "
            "where workspace_id = %s",
            (WORKSPACES[0],),
        ).fetchone()
    assert row is not None
    report("  runs of 1,000 hosts x 30 days", f"{row[0]:,} rows, {row[1] / 2**20:,.1f} MiB")
