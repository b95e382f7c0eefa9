"""The start, and the two files that pages are drawn with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from services.api import web
from services.api.web.floor import PageRoute, see_other, visit_of

router = APIRouter(route_class=PageRoute)

_STATIC: Final = Path(web.__file__).parent / "static"
_KEPT: Final = {"Cache-Control": "public, max-age=3600"}


@router.get("/")
async def start(request: Request) -> Response:
    """Where a person lands."""
    return see_other("/account" if visit_of(request).session else "/sign-in")


@router.get("/assets/vigilo.css")
async def style(request: Request) -> Response:
    """The style sheet."""
    return FileResponse(_STATIC / "vigilo.css", media_type="text/css", headers=_KEPT)


@router.get("/assets/vigilo.svg")
async def sign(request: Request) -> Response:
    """The sign of Vigilo."""
    return FileResponse(_STATIC / "vigilo.svg", media_type="image/svg+xml", headers=_KEPT)
