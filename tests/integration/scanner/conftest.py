from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.scanner.resolve import SystemResolver
from services.scanner.tools import Tools
from tests.fakes.pki import Authority
from vigilo.adapters.egress import ScanEgress, parse_networks


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create()


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    resolver = SystemResolver(threads=8)
    tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["0.0.0.0/0", "::/0"])), name="test")
    yield tools
    await tools.close()
    resolver.close()
