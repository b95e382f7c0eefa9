"""Wires the REST app: `python -m services.api.app`.

A request's way: front.py (whose Host), auth.py (who), reading.py or writing.py (in which transaction), routes/ (what).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.api import front, problems
from services.api.audit.refusals import audit_refusals
from services.api.live.feed import Feed
from services.api.live.listening import listen
from services.api.live.serving import StreamingServer
from services.api.measuring import Measured
from services.api.openapi import complete
from services.api.pool_notices import tell_of_pools
from services.api.projector.app import EmbeddedProjector
from services.api.projector.settings import ProjectorSettings
from services.api.readiness import database_check, services_check, topics_check
from services.api.relay import end, measure, relay_check, relay_for
from services.api.resources import Resources
from services.api.routes import ROUTERS
from services.api.settings import ApiSettings
from services.api.signin.wiring import install, open_desk
from services.api.snoozes import end_snoozes
from services.api.system_routes import description_routes, health_routes
from vigilo.adapters import logs
from vigilo.adapters.health import Check, Checks
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.outbox import OutboxRelay
from vigilo.adapters.postgres import connection_pool
from vigilo.adapters.secrets import BadKeys
from vigilo.adapters.settings import BadSettings, read

logger = logging.getLogger("vigilo.api")

TITLE = "Vigilo"
DESCRIPTION = (
    "Hosts, rules and channels in, snapshots, report cards, alerts and deliveries out. Every error is an RFC 9457 "
    "problem. Lists are paged by cursor; changes accept If-Match and Idempotency-Key."
)
_FAILED = 70  # EX_SOFTWARE: a restart is always right


def create_app(settings: ApiSettings) -> FastAPI:
    """The app; its lifespan opens the pool and starts the relay. Raises BadKeys."""
    metrics = Metrics("api")
    shared = Resources(
        settings=settings,
        pool=connection_pool(settings.url(), name="vigilo-api", most=settings.database_connections, least=2),
        box=settings.box(),
        scan_egress=settings.scan_egress(),
        delivery_egress=settings.delivery_egress(),
    )
    relay = relay_for(settings.url(), settings.kafka) if settings.api_embed_relay else None
    if relay is not None:
        measure(relay, metrics)
    projector = _projector(settings, metrics)
    client = httpx.AsyncClient(trust_env=False)
    feed = Feed()
    metrics.gauge("vigilo_event_streams", "Open streams of live events.").set_function(lambda: feed.streams)
    lifespan = _lifespan(shared, relay, projector, client, feed)
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.resources = shared
    app.state.feed = feed
    problems.install(app)
    audit_refusals(app)
    app.add_middleware(front.FrontDoor, hosts={*settings.allowed_hosts, settings.public_host})
    app.add_middleware(Measured, metrics=metrics)
    _route(app)
    install(app, shared)
    app.include_router(health_routes(Checks(ready=_ready(shared, relay, projector, client)), metrics))
    return app


def described() -> dict[str, Any]:
    """The OpenAPI document of this code; needs no settings and no servers."""
    app = FastAPI(title=TITLE)
    _route(app)
    return _described(app)


def _route(app: FastAPI) -> None:
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(description_routes(app))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=TITLE, version="1", description=DESCRIPTION, routes=app.routes)
        app.openapi_schema = complete(document)
    return app.openapi_schema


def _projector(settings: ApiSettings, metrics: Metrics) -> EmbeddedProjector | None:
    if not settings.api_embed_projector or settings.projector_database_url is None:
        return None
    wanted = ProjectorSettings(
        database_url=settings.projector_database_url, history=settings.history, kafka=settings.kafka
    )
    return EmbeddedProjector(wanted, metrics, on_failure=lambda: os.kill(os.getpid(), signal.SIGTERM))


def _ready(
    shared: Resources, relay: OutboxRelay | None, projector: EmbeddedProjector | None, client: httpx.AsyncClient
) -> Mapping[str, Check]:
    checks: dict[str, Check] = {
        "database": database_check(shared.pool),
        "topics": topics_check(shared.settings.kafka),
        "services": services_check(shared.settings.ready_urls, client),
    }
    if relay is not None:
        checks["relay"] = lambda: relay_check(relay)
    if projector is not None:
        checks["projector"] = projector.check
    return checks


def _lifespan(
    shared: Resources,
    relay: OutboxRelay | None,
    projector: EmbeddedProjector | None,
    client: httpx.AsyncClient,
    feed: Feed,
) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            await stack.enter_async_context(open_desk(app))
            await shared.pool.open()
            stack.push_async_callback(shared.pool.close)
            if relay is not None:
                work = asyncio.create_task(relay.run(), name="relay")
                work.add_done_callback(_ended)
                stack.push_async_callback(end, work)
            for name, timer in (
                ("snoozes", end_snoozes(shared.pool)),
                ("pools", tell_of_pools(shared.pool)),
                ("live", listen(shared.settings.url(), feed)),
            ):
                task = asyncio.create_task(timer, name=name)
                task.add_done_callback(_ended)
                stack.push_async_callback(end, task)
            if projector is not None:
                await stack.enter_async_context(projector)
            yield

    return lifespan


def _ended(work: asyncio.Task[None]) -> None:
    # Trouble with Kafka or the database never ends the relay or a timer; what does is a fault of ours, and
    # nothing would be published any more: stop serving, be started again.
    if not work.cancelled() and work.exception() is not None:
        logger.critical("the task %s ended", work.get_name(), exc_info=work.exception())
        signal.raise_signal(signal.SIGTERM)


def main() -> int:
    """Serves until SIGTERM or SIGINT; requests under way are finished."""
    try:
        settings = read(ApiSettings)
        logs.configure("api", settings.log_level)
        app = create_app(settings)
    except (BadSettings, BadKeys) as error:
        print(f"vigilo api: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    try:
        StreamingServer(config, app.state.feed).run()
    except Exception:
        logger.exception("the API ends")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
