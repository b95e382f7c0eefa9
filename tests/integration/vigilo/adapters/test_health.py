"""The health routes over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

import aiohttp
import pytest

from vigilo.adapters.health import CheckResult, Checks, HealthServer
from vigilo.adapters.metrics import Metrics


async def get(port: int, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", timeout=aiohttp.ClientTimeout(10)) as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def get_json(port: int, path: str) -> tuple[int, Mapping[str, object]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        body: Mapping[str, object] = await answer.json()
        return answer.status, body


async def test_liveness_and_readiness_are_two_questions() -> None:
    checks = Checks(
        alive={"loop": lambda: (True, {})},
        ready={"kafka": lambda: (False, {"reason": "no such topic", "topics": ["hosts"]}), "clock": lambda: (True, {})},
    )
    async with HealthServer(0, checks, Metrics("grader")) as server:
        assert await get_json(server.port, "/healthz") == (200, {"status": "ok", "checks": {"loop": {"ok": True}}})
        assert await get_json(server.port, "/readyz") == (
            503,
            {
                "status": "failing",
                "checks": {
                    "kafka": {"ok": False, "reason": "no such topic", "topics": ["hosts"]},
                    "clock": {"ok": True},
                },
            },
        )


async def test_an_answer_changes_when_the_world_does() -> None:
    ready = False

    async def database() -> CheckResult:
        return ready, {}

    async with HealthServer(0, Checks(ready={"database": database}), Metrics("api")) as server:
        before, _ = await get_json(server.port, "/readyz")
        ready = True
        after, _ = await get_json(server.port, "/readyz")
    assert (before, after) == (503, 200)


async def test_a_check_that_raises_or_hangs_is_a_reason_not_a_failure() -> None:
    def broken() -> CheckResult:
        raise RuntimeError("no connection")

    async def hanging() -> CheckResult:
        await asyncio.sleep(60)
        return True, {}

    async with HealthServer(0, Checks(alive={"broken": broken, "hanging": hanging}), Metrics("api")) as server:
        status, body = await get_json(server.port, "/healthz")
    assert status == 503
    assert body["checks"] == {
        "broken": {"ok": False, "reason": "RuntimeError: no connection"},
        "hanging": {"ok": False, "reason": "no answer within 2 s"},
    }


async def test_metrics_are_prometheus_text() -> None:
    metrics = Metrics("scanner")
    metrics.histogram("vigilo_scan_duration_seconds", "How long scans take.").observe(0.3)
    async with HealthServer(0, Checks(), metrics) as server:
        status, content_type, text = await get(server.port, "/metrics")
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'vigilo_scan_duration_seconds_bucket{le="0.5"} 1.0' in text.splitlines()


async def test_only_loopback_listens_and_a_taken_port_is_an_error() -> None:
    async with HealthServer(0, Checks(), Metrics("a")) as server:
        with pytest.raises(OSError):
            await HealthServer(server.port, Checks(), Metrics("b")).start()
        with socket.socket() as other, pytest.raises(OSError):
            other.settimeout(1)
            other.connect(("127.0.0.2", server.port))
    with socket.socket() as closed, pytest.raises(ConnectionRefusedError):
        closed.connect(("127.0.0.1", server.port))
