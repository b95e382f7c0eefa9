"""The real REST app on a real socket and a real database, with two workspaces from the first day."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import uvicorn
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from pydantic import SecretStr

from services.api.app import create_app
from services.api.auth import new_token
from services.api.bootstrap import add_token, ensure_workspace
from services.api.database_roles import API
from services.api.live.serving import StreamingServer
from services.api.migrate import migrate
from services.api.settings import ApiSettings
from vigilo.adapters.postgres import connect
from vigilo.adapters.secrets import new_key

# One password in all tests: roles belong to the server, and test runs may share it.
PASSWORD = "vigilo-tests-only"
ROLES = ("viewer", "member", "approver", "admin", "owner")


@dataclass
class Workspace:
    """One workspace, its tokens by role, and clients that send them."""

    workspace_id: UUID
    slug: str
    base_url: str
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, role: str = "owner") -> httpx.Client:
        """Sends requests to /api/v1/workspaces/<slug>/ as that role."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        return httpx.Client(
            base_url=f"{self.base_url}/api/v1/workspaces/{self.slug}/", headers=headers, timeout=20, trust_env=False
        )


@dataclass(frozen=True)
class ApiServer:
    """A running API. `admin_url` is a superuser's, `api_url` that of vigilo_api."""

    base_url: str
    admin_url: str
    api_url: str
    settings: ApiSettings
    one: Workspace
    two: Workspace

    def rows(self, query: str, *values: object) -> list[DictRow]:
        """What a superuser sees."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()


def api_url(admin_url: str) -> str:
    """The URL of vigilo_api on that database."""
    return make_conninfo(admin_url, user=API, password=PASSWORD)


def migrated(admin_url: str) -> str:
    """Brings the database up to date; returns vigilo_api's URL."""
    migrate(admin_url, {API: PASSWORD})
    return api_url(admin_url)


def api_settings(url: str, home: Path, **changes: Any) -> ApiSettings:
    """Settings of a test's API; scans of 127.0.0.1/32 and webhooks to 127.0.0.1:9999 are allowed."""
    values: dict[str, Any] = {
        "database_url": SecretStr(url),
        "secret_keys": SecretStr(new_key("tests")),
        "home": home,
        "port": 0,
        "api_embed_relay": False,
        "pool_allow": ("127.0.0.1/32",),
        "delivery_allow": ("127.0.0.1/32:9999",),
        "own_listeners": ("127.0.0.1:6666",),
    }
    return ApiSettings(**{**values, **changes})


@contextmanager
def running_api(admin_url: str, home: Path, **changes: Any) -> Iterator[ApiServer]:
    """Migrates, makes the workspaces `one` and `two`, serves until the end."""
    url = migrated(admin_url)
    settings = api_settings(url, home, **changes)
    with served(settings) as base_url:
        one, two = (asyncio.run(make_workspace(url, slug, base_url)) for slug in ("one", "two"))
        yield ApiServer(base_url, admin_url, url, settings, one, two)


async def make_workspace(url: str, slug: str, base_url: str) -> Workspace:
    """A workspace with one token per role."""
    async with await connect(url, name="tests") as connection:
        workspace_id = await ensure_workspace(connection, slug, slug.title(), at=datetime.now(UTC))
        made = Workspace(workspace_id, slug, base_url)
        for role in ROLES:
            made.tokens[role] = new_token()
            await add_token(connection, workspace_id, made.tokens[role], name=role, role=role)
    return made


@contextmanager
def served(settings: ApiSettings) -> Iterator[str]:
    """The base URL of the app while it is served from a thread."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = StreamingServer(config, app.state.feed)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        thread.join(0.05)
    assert server.started, "the API did not start within 20 s"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
