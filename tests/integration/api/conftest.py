"""One API per module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.api_server import ApiServer, running_api


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API with workspaces one and two; its relay does not run."""
    with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def one(api: ApiServer) -> Iterator[httpx.Client]:
    """The owner of workspace one."""
    with api.one.client() as client:
        yield client


@pytest.fixture
def two(api: ApiServer) -> Iterator[httpx.Client]:
    """The owner of workspace two."""
    with api.two.client() as client:
        yield client
