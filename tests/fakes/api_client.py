"""The REST app on a real database, asked in process; and the workspaces, hosts and tokens its tests need."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from services.api.app import create_app
from services.api.auth import new_token, token_sha256
from services.api.settings import ApiSettings
from tests.fakes.observations import START, WORKSPACES, derived, host_of
from vigilo.adapters.settings import KafkaSettings


def acting_as(url: str, role: str) -> str:
    """The same database, every session acting as that role."""
    options = conninfo_to_dict(url).get("options") or ""
    return make_conninfo(url, options=f"{options} -c role={role}".strip())


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace as its owner's client sees it."""

    slug: str
    token: str

    def url(self, path: str) -> str:
        """The address of something in the workspace."""
        return f"/api/v1/workspaces/{self.slug}{path}"

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}", "Host": "localhost"}


def furnish(admin_url: str, *, hosts: int) -> list[Tenant]:
    """Both workspaces of tests.fakes.observations, their hosts, and one token each."""
    tenants = [Tenant(f"w{number}", new_token()) for number in range(len(WORKSPACES))]
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for number, (workspace, tenant) in enumerate(zip(WORKSPACES, tenants, strict=True)):
            connection.execute(
                "insert into config.workspaces (workspace_id, slug, name, version, created_at, updated_at) "
                "values (%s, %s, %s, 1, %s, %s)",
                (workspace, tenant.slug, f"Workspace {number}", START, START),
            )
            connection.execute(
                "insert into config.tokens (token_id, workspace_id, name, sha256, role, kind, created_at) "
                "values (%s, %s, 'test', %s, 'owner', 'installation', %s)",
                (derived("token", number), workspace, token_sha256(tenant.token), START),
            )
        for number in range(hosts):
            connection.execute(
                'insert into config.hosts (host_id, workspace_id, version, status, hostname, port, "interval", tags, '
                "protocol, pool, trust, probing, created_at, updated_at) "
                "values (%s, %s, 1, 'active', %s, 443, '1h', '{prod}', 'auto', 'public', 'any', 'full', %s, %s)",
                (host_of(number), WORKSPACES[number % 2], f"today-h{number}.example", START, START),
            )
    return tenants


def api_settings(database_url: str, kafka: KafkaSettings, **more: Any) -> ApiSettings:
    """Settings of an app without relay."""
    return ApiSettings(
        database_url=SecretStr(acting_as(database_url, "vigilo_api")),
        secret_keys=SecretStr("k:" + base64.b64encode(bytes(32)).decode()),
        api_embed_relay=False,
        kafka=kafka,
        **more,
    )


@asynccontextmanager
async def client_of(settings: ApiSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        yield client


async def everything(client: httpx.AsyncClient, tenant: Tenant, *, hosts: int) -> dict[str, bytes]:
    """The bytes of every answer about what was observed: all pages of all lists, and everything they lead to."""
    answers: dict[str, bytes] = {}
    for path in _roots(hosts):
        following: str | None = tenant.url(path)
        while following is not None:
            response = await client.get(following, headers=tenant.headers)
            answers[following] = b"%d " % response.status_code + response.content
            following = response.links.get("next", {}).get("url")
            for leaf in {*_leaves(response)} - answers.keys():
                answer = await client.get(tenant.url(leaf), headers=tenant.headers)
                answers[leaf] = b"%d " % answer.status_code + answer.content
    return answers


def _roots(hosts: int) -> Iterator[str]:
    yield "/alerts?limit=7"
    yield "/alerts?state=pending&state=open&limit=7"
    yield "/deliveries?limit=7"
    for number in range(hosts):
        for part in (
            "snapshots?limit=40",
            "snapshots/latest",
            "report-card",
            "grades?days=400",
            "changes?limit=7",
            "timeline?limit=7",
            "chain",
        ):
            yield f"/hosts/{host_of(number)}/{part}"


def _leaves(response: httpx.Response) -> Iterator[str]:
    if response.headers["content-type"] != "application/json":
        return
    for item in response.json().get("items", ()):
        if "depth" in item:
            yield f"/snapshots/{item['scan_id']}"
        elif "transition_id" in item:
            yield f"/deliveries/{item['delivery_id']}"
        elif "episode" in item:
            yield f"/alerts/{item['alert_id']}"
        if item.get("leaf_sha256"):
            yield f"/certificates/{item['leaf_sha256']}"
            yield f"/certificates/{item['leaf_sha256']}?format=pem"
