"""Addresses outside any workspace: health, metrics, the description of the API."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from services.api import docs_page
from vigilo.adapters.health import Check, Checks, examine
from vigilo.adapters.metrics import EXPOSITION_TYPE, Metrics

OPENAPI_PATH = "/api/v1/openapi.json"
DOCS_PATH = "/api/v1/docs"


def health_routes(checks: Checks, metrics: Metrics) -> APIRouter:
    """/healthz, /readyz and /metrics; not part of the API's description."""
    router = APIRouter(include_in_schema=False)

    async def answer(which: dict[str, Check]) -> Response:
        health = await examine(which)
        return JSONResponse(dict(health.body), 200 if health.ok else 503, headers={"Cache-Control": "no-store"})

    @router.get("/healthz")
    async def alive() -> Response:
        return await answer(dict(checks.alive))

    @router.get("/readyz")
    async def ready() -> Response:
        return await answer(dict(checks.ready))

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": EXPOSITION_TYPE})

    return router


def description_routes(app: FastAPI) -> APIRouter:
    """openapi.json and its page for people."""
    router = APIRouter(include_in_schema=False)

    @router.get(OPENAPI_PATH)
    async def openapi() -> Response:
        return JSONResponse(app.openapi())

    @router.get(DOCS_PATH)
    async def docs() -> Response:
        return HTMLResponse(docs_page.page(app.openapi()), headers=docs_page.HEADERS)

    @router.get("/api")
    @router.get("/api/v1")
    async def start(request: Request) -> Response:
        return RedirectResponse(DOCS_PATH)

    return router
