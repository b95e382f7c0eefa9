"""Puts the pages into the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.api.resources import Resources
from services.api.signin.desk import Desk
from services.api.signin.entering import Entrance
from services.api.signin.oidc.flow import Flow
from services.api.signin.oidc.issuer import Issuer
from services.api.signin.pages import ROUTERS
from services.api.signin.passwords import PasswordWorkers, hasher
from services.api.web.cookies import Cookies
from services.api.web.floor import Ground
from services.api.web.pages import Pages


def install(app: FastAPI, shared: Resources) -> None:
    """The pages are part of the app; `open_desk` must surround its life."""
    settings = shared.settings
    issuer = Issuer(settings, own_listeners=settings.own_listeners) if settings.oidc_issuer else None
    app.state.ground = Ground(Pages(), Cookies(settings.behind_tls), settings.session_idle)
    app.state.desk = Desk(
        Entrance(settings, shared.pool, PasswordWorkers(hasher())),
        issuer,
        Flow(settings, issuer, shared.box) if issuer else None,
    )
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)


@asynccontextmanager
async def open_desk(app: FastAPI) -> AsyncIterator[None]:
    """Lends the desk; its threads and connections end afterwards."""
    try:
        yield
    finally:
        kept: Desk = app.state.desk
        kept.entrance.workers.close()
        if kept.issuer is not None:
            await kept.issuer.close()
