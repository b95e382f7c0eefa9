"""Rows of a ledger from before it kept tellings: still readable, and those that wait are still sent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from services.api import migrate as migration
from services.notifier.channels.webhook import alert_message
from services.notifier.tellings import TransitionTelling
from tests.fakes.alerts import WORKSPACE, transition
from tests.integration.notifier.ledger_lab import PASSWORD, channel, ledger_lab
from tests.integration.notifier.stage import START, Stage
from vigilo.events.alerts import TransitionKind

pytestmark = pytest.mark.postgres

_NEW = "0008_deliveries.sql"


def before(folder: Path) -> Path:
    """The migrations without the one under test and without those that need it."""
    without = {_NEW.removesuffix(".sql")}
    files = sorted(migration.MIGRATIONS.glob("*.sql"))
    for one in files:
        head = one.read_text().split("depends:")[-1].splitlines()[0].split()
        if without & set(head):
            without.add(one.stem)
    for one in files:
        if one.stem not in without:
            shutil.copy(one, folder / one.name)
    return folder


def insert(admin_url: str, channel_id: UUID, kind: str, status: str, body: Mapping[str, object], n: int) -> UUID:
    """A row as the notifier of before wrote it."""
    one, delivery_id = transition(TransitionKind.OPENED), uuid4()
    of_alert = (one.alert_id, one.transition_id, one.host_id) if n else (None, None, None)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "insert into notifier.deliveries (delivery_id, workspace_id, channel_id, alert_id, transition_id, host_id, "
            "n, kind, status, attempt, next_attempt_at, message) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (delivery_id, WORKSPACE, channel_id, *of_alert, n, kind, status, 1, START, json.dumps(body)),
        )
    return delivery_id


async def test_deliveries_of_before_are_sent_and_read(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = transition(TransitionKind.OPENED)
    one = uuid4()
    with monkeypatch.context() as patched:
        patched.setattr(migration, "MIGRATIONS", before(tmp_path))
        migration.migrate(database, {"vigilo_notifier": PASSWORD})
    # The body as it was then: its numbers and texts are a part of today's.
    body = json.loads(json.dumps(alert_message(opened, public_url="http://vigilo.test")))
    waiting = insert(database, one, "opened", "retrying", body, 1)
    sample = {"type": "channel.test", "timestamp": "2026-11-24T11:00:00Z", "data": {"channel": "c", "by": "ann"}}
    insert(database, one, "test", "delivered", sample, 0)
    async with ledger_lab(database) as lab:
        stage = Stage(lab, now=START + timedelta(minutes=1))
        await stage.enter(("channels", channel(one)))
        await stage.rest(timedelta(minutes=1))
        (claimed,) = stage.claims
        assert claimed.delivery_id == waiting
        telling = claimed.telling
        assert isinstance(telling, TransitionTelling)
        kept = {"summary", "facts", "rule", "opened_at", "at", "n", "alert_id", "workspace_id", "kind"}
        assert telling.transition.model_dump(include=kept) == opened.model_dump(include=kept)
        assert telling.transition.host.hostname == opened.host.hostname
        assert await stage.rows("kind, status, telling ->> 'kind'", "kind = 'test'") == [("test", "delivered", "test")]
