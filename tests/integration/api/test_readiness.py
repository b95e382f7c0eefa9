"""/readyz: a host can be added, and it will be scanned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from tests.fakes.api_server import api_settings, migrated, served
from tests.fakes.relay_lab import make_topics
from vigilo.adapters.settings import KafkaSettings

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


class Service:
    """Another service's /readyz."""

    def __init__(self) -> None:
        self.status = 503
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/readyz"
        Thread(target=self.server.serve_forever, daemon=True).start()


async def until(condition: Callable[[dict[str, Any]], bool], base_url: str) -> dict[str, Any]:
    """The body of /readyz once the condition holds of it."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        body: dict[str, Any] = {}
        for _ in range(300):
            answer = await client.get(f"{base_url}/readyz")
            body = answer.json()
            assert (answer.status_code == 200) == (body["status"] == "ok")
            if condition(body):
                return body
            await asyncio.sleep(0.1)
    raise TimeoutError(str(body))


async def test_ready_means_database_topics_relay_and_the_other_services(
    database: str, kafka: KafkaSettings, tmp_path: Path
) -> None:
    other = Service()
    url = await asyncio.to_thread(migrated, database)
    settings = api_settings(url, tmp_path, kafka=kafka, api_embed_relay=True, ready_urls=(other.url,))
    with served(settings) as base_url:
        body = await until(lambda body: body["checks"]["relay"]["ok"], base_url)
        assert not body["checks"]["topics"]["ok"] and "vigilo topics apply" in body["checks"]["topics"]["reason"]
        await asyncio.to_thread(make_topics, kafka)
        body = await until(lambda body: body["checks"]["topics"]["ok"], base_url)
        assert list(body["checks"]["services"]["waiting_for"]) == [other.url]
        other.status = 200
        body = await until(lambda body: body["status"] == "ok", base_url)
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute("delete from migrations._yoyo_migration where migration_id = '0001_roles_and_config'")
        body = await until(lambda body: not body["checks"]["database"]["ok"], base_url)
        assert "0001_roles_and_config" in body["checks"]["database"]["reason"]


async def test_without_a_database_the_api_starts_lives_and_says_so(tmp_path: Path) -> None:
    settings = api_settings("postgresql://vigilo_api@127.0.0.1:1/none", tmp_path)
    assert isinstance(settings.database_url, SecretStr)
    with served(settings) as base_url:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=30) as client:
            assert (await client.get("/healthz")).status_code == 200
            ready = await client.get("/readyz")
            assert ready.status_code == 503 and not ready.json()["checks"]["database"]["ok"]
            headers = {"Authorization": "Bearer vgl_" + "a" * 43}
            answer = await client.get("/api/v1/workspaces/default/hosts", headers=headers)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json" and answer.headers["retry-after"]
