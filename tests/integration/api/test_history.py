"""How a host's letter went, its newest card as it was written, and its timeline, as the API tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.api.migrate import migrate
from tests.fakes.api_client import Tenant, api_settings, client_of, furnish
from tests.fakes.observations import derived, host_of, in_partitions, path_certificate, target_of
from tests.fakes.read_model import Letters, replayed
from vigilo.adapters.settings import KafkaSettings
from vigilo.events import ids
from vigilo.events.cards import CertificateChange, Finding, FindingLevel, Grade, Improvement, ReportCard
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.scans import Outcome

pytestmark = pytest.mark.postgres

Known = tuple[str, Tenant]
# Noon, so that a run around midnight sees the same days.
TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
COURSE: tuple[tuple[int, int, Grade | None], ...] = (
    (40, 0, Grade.A_PLUS),  # days ago, minutes after noon, letter
    (3, 0, Grade.A),
    (3, 5, Grade.F),
    (3, 10, Grade.B),
    (2, 0, None),
    (1, 0, Grade.B),
    (1, 5, Grade.B),
)


def card(ago: int, minutes: int, grade: Grade | None) -> ReportCard:
    at = TODAY - timedelta(days=ago) + timedelta(minutes=minutes)
    finding = Finding(
        rule="r", level=FindingLevel.WARNING, title="Old", evidence="it is", cap=grade, citation="c", help="grade-f"
    )
    return ReportCard(
        scan_id=derived("scan", ago, minutes),
        target=target_of(0),
        requested_at=at,
        outcome=Outcome.REFUSED if grade is None else Outcome.OK,
        grade=grade,
        posture_grade=grade,
        findings=() if grade is None else (finding,),
        deciding=() if grade is None else ("r",),
        to_improve=(Improvement(rule="r", fix="mend it", grade_then=Grade.A),),
        rulebook="vigilo-2026",
        trust_store="test",
        graded_at=at,
    )


def change() -> CertificateChange:
    at = TODAY - timedelta(days=1, minutes=30)
    old, new = path_certificate(1), path_certificate(2)
    return CertificateChange(
        scan_id=derived("change"), target=target_of(0), requested_at=at, old=old, new=new, issuer_changed=False
    )


def events() -> Iterator[EncodedEvent]:
    for one in COURSE:
        written = card(*one)
        key = str(written.host_id)
        outgoing = OutgoingEvent("report-cards", key, ids.report_card_id(written.scan_id), written, written.graded_at)
        yield encode(outgoing, source="test")
    changed = change()
    event_id = ids.certificate_change_id(changed.target.host_id, changed.scan_id)
    key = str(changed.target.host_id)
    yield encode(OutgoingEvent("certificate-changes", key, event_id, changed, changed.requested_at), source="test")


@pytest.fixture(scope="module")
def known(module_database: str) -> Known:
    migrate(module_database, {})
    tenants = furnish(module_database, hosts=2)
    refused = Letters()
    now_ms = int((TODAY + timedelta(days=1)).timestamp() * 1000)
    drawn = in_partitions(events(), partitions=1)
    logs = {one: [replace(record, timestamp_ms=now_ms) for record in log] for one, log in drawn.items()}
    asyncio.run(replayed(module_database, logs, partitions=1, size=50, letters=refused))
    assert refused.reasons == []
    return module_database, tenants[0]


@pytest.fixture
async def client(known: Known) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api_settings(known[0], KafkaSettings())) as running:
        yield running


async def got(client: httpx.AsyncClient, known: Known, path: str) -> dict[str, Any]:
    response = await client.get(known[1].url(f"/hosts/{host_of(0)}/{path}"), headers=known[1].headers)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_each_day_tells_its_last_best_and_worst_letter_and_its_failures(
    client: httpx.AsyncClient, known: Known
) -> None:
    days = (await got(client, known, "grades?days=30"))["days"]
    told = [(one["scans"], one["failed"], one["grade"], one["best"], one["worst"]) for one in days]
    assert told == [(3, 0, "B", "A", "F"), (1, 1, None, None, None), (2, 0, "B", "B", "B")]
    assert [one["day"] for one in days] == [str((TODAY - timedelta(days=ago)).date()) for ago in (3, 2, 1)]


async def test_changes_of_the_letter_pass_over_scans_without_one(client: httpx.AsyncClient, known: Known) -> None:
    changes = (await got(client, known, "grades?days=30"))["changes"]
    assert [(one.get("old_grade"), one["grade"]) for one in changes] == [("F", "B"), ("A", "F"), (None, "A")]


async def test_a_longer_period_reaches_further_back(client: httpx.AsyncClient, known: Known) -> None:
    days = (await got(client, known, "grades?days=60"))["days"]
    assert [one["grade"] for one in days] == ["A+", "B", None, "B"]


async def test_the_newest_card_is_answered_whole_as_it_was_written(client: httpx.AsyncClient, known: Known) -> None:
    answer = await got(client, known, "report-card")
    assert answer.pop("host")["host_id"] == str(host_of(0))
    assert ReportCard.model_validate(answer) == card(*COURSE[-1])


async def test_certificate_changes_are_in_their_list_and_in_the_timeline(
    client: httpx.AsyncClient, known: Known
) -> None:
    (listed,) = (await got(client, known, "changes"))["items"]
    assert CertificateChange.model_validate(listed) == change()
    (entry,) = (await got(client, known, "timeline"))["items"]
    assert (entry["kind"], entry["id"]) == ("certificate-change", str(change().scan_id))
    assert CertificateChange.model_validate(entry["details"]) == change()
