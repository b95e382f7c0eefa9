"""One migrated database for all tests of the notifier; each finds the ledger empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from services.api.migrate import migrate
from tests.integration.notifier.ledger_lab import PASSWORD, Lab, migrated_lab
from tests.servers import fresh_database


@pytest.fixture(scope="package")
def ledger_database(postgres_url: str) -> Iterator[str]:
    """URL of a superuser on a migrated database."""
    with fresh_database(postgres_url) as url:
        migrate(url, {"vigilo_notifier": PASSWORD})
        yield url


@pytest.fixture
async def lab(ledger_database: str) -> AsyncIterator[Lab]:
    """The notifier's parts around an empty ledger."""
    async with migrated_lab(ledger_database) as made:
        made.forget()
        yield made
