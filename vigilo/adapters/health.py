"""/healthz, /readyz and /metrics of one process, served in its own event loop.

A loop that stands still therefore answers nothing, which is the point of the liveness question.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from vigilo.adapters.metrics import EXPOSITION_TYPE, Metrics

CheckResult = tuple[bool, Mapping[str, object]]
Check = Callable[[], CheckResult | Awaitable[CheckResult]]

CHECK_TIMEOUT_SECONDS = 2.0  # below the 3 s a probe usually waits


@dataclass(frozen=True, slots=True)
class Checks:
    """Named questions; each answers (ok, details for people, JSON-able).

    `alive`: not ok means restart me. `ready`: not ok means wait, I cannot do my work now. No check = ok.
    """

    alive: Mapping[str, Check] = field(default_factory=dict)
    ready: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """The answer to one question: `body` has `status` (ok | failing) and, per check, `ok` and its details."""

    ok: bool
    body: Mapping[str, object]


async def examine(checks: Mapping[str, Check]) -> Health:
    """Ask every check; one that raises or takes over 2 s is not ok, and says so."""
    answers = dict(zip(checks, await asyncio.gather(*(_ask(check) for check in checks.values())), strict=True))
    ok = all(answer[0] for answer in answers.values())
    shown = {name: {"ok": good, **details} for name, (good, details) in answers.items()}
    return Health(ok, {"status": "ok" if ok else "failing", "checks": shown})


async def _ask(check: Check) -> CheckResult:
    try:
        answer = check()
        if inspect.isawaitable(answer):
            return await asyncio.wait_for(answer, CHECK_TIMEOUT_SECONDS)
        return answer
    except TimeoutError:
        return False, {"reason": f"no answer within {CHECK_TIMEOUT_SECONDS:g} s"}
    except Exception as error:  # whatever is wrong with a check is an answer, never a failed request
        return False, {"reason": f"{type(error).__name__}: {error}"[:300]}


def health_app(checks: Checks, metrics: Metrics) -> web.Application:
    """The three routes as an aiohttp application."""

    async def answer(which: Mapping[str, Check]) -> web.Response:
        health = await examine(which)
        return web.json_response(dict(health.body), status=200 if health.ok else 503)

    async def alive(_: web.Request) -> web.Response:
        return await answer(checks.alive)

    async def ready(_: web.Request) -> web.Response:
        return await answer(checks.ready)

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": EXPOSITION_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", exposition)])
    return app


class HealthServer:
    """Serves one process's health; `port` 0 takes a free one, told by `port` after `start`."""

    def __init__(self, port: int, checks: Checks, metrics: Metrics, *, host: str = "127.0.0.1") -> None:
        self.port = port
        self._host = host
        self._runner = web.AppRunner(health_app(checks, metrics), access_log=None, shutdown_timeout=1)

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; requests under way get a second."""
        await self._runner.cleanup()

    async def __aenter__(self) -> HealthServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
