"""The read model is a function of the topics, whatever comes between them: order, batches, crashes."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.api.migrate import migrate
from tests.fakes.observations import Observations, in_partitions
from tests.fakes.read_model import Letters, dumped, emptied, interleaved, replayed

pytestmark = pytest.mark.postgres

PARTITIONS = 3
EVENTS = 150


@pytest.fixture(scope="module")
def migrated(module_database: str) -> str:
    migrate(module_database, {})
    return module_database


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_any_interleaving_and_any_crash_leave_the_same_read_model(migrated: str, events: int, order: int) -> None:
    logs = in_partitions(Observations(events).draw(EVENTS), partitions=PARTITIONS)
    with psycopg.connect(migrated, autocommit=True) as connection:
        emptied(connection)
        asyncio.run(replayed(migrated, logs, partitions=PARTITIONS))
        expected = dumped(connection)
        emptied(connection)
        asyncio.run(interleaved(migrated, logs, partitions=PARTITIONS, seed=order))
        assert dumped(connection) == expected


def test_the_random_events_fill_every_table_and_every_reason(migrated: str) -> None:
    logs = in_partitions(Observations(7).draw(3_000), partitions=PARTITIONS)
    letters = Letters()
    with psycopg.connect(migrated, autocommit=True) as connection:
        emptied(connection)
        asyncio.run(replayed(migrated, logs, partitions=PARTITIONS, letters=letters, size=100))
        assert not [name for name, rows in dumped(connection).items() if not rows]
    assert set(letters.reasons) >= {
        "bad-time",
        "foreign-workspace",
        "invalid",
        "not-json",
        "not-utf8",
        "tombstone",
        "unstorable",
    }
