"""What the real projector commits, followers of the real API hear."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from services.api.live.notices import CHANNEL
from services.api.projector.app import EmbeddedProjector
from services.api.rebuild import rebuild
from tests.fakes.api_client import api_settings, furnish
from tests.fakes.api_server import served
from tests.fakes.event_stream import following
from tests.fakes.observations import Observations
from tests.integration.api.projector.conftest import FOR_EVER, caught_up, sent
from vigilo.adapters.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

KINDS = {"snapshot", "report-card", "certificate-change", "alert", "delivery", "work-item"}


async def test_every_kind_is_heard_after_its_row_can_be_read(
    kafka: KafkaSettings,
    migrated: str,
    projector: EmbeddedProjector,
    tmp_path: Path,
) -> None:
    mine = furnish(migrated, hosts=4)[0]
    with (
        served(api_settings(migrated, kafka, home=tmp_path, port=0)) as base_url,
        following(f"{base_url}/api/v1/workspaces/{mine.slug}", mine.token) as follower,
        psycopg.connect(migrated, autocommit=True) as admin,
    ):
        assert follower.next().kind == "ready"
        await sent(kafka, Observations(21).draw(300))
        heard: dict[str, dict[str, str]] = {}
        while heard.keys() < KINDS:
            event = follower.next(20)
            heard[event.kind] = event.data
            if event.kind == "snapshot":
                query = "select workspace_id from read_model.snapshots where scan_id = %s"
                row = admin.execute(query, (event.data["scan_id"],)).fetchone()
                assert row and str(row[0]).endswith("1")


async def test_a_rebuild_is_one_word_to_all_and_no_flood(
    kafka: KafkaSettings, migrated: str, projector: EmbeddedProjector
) -> None:
    await sent(kafka, Observations(51).draw(300))
    await caught_up(kafka, migrated)
    with psycopg.connect(migrated, autocommit=True) as listener:
        listener.execute(f"listen {CHANNEL}")
        await rebuild(kafka, migrated, history=FOR_EVER)
        told = [one.payload for one in listener.notifies(timeout=0.5)]
    assert len(told) == 1
    assert '"workspace":null,"changes":null' in told[0]
