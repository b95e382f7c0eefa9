"""The addresses of the API; each handler gathers, lets a pure function decide, and applies."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from services.api.routes import channels, hosts, rules

ROUTERS: Final[tuple[APIRouter, ...]] = (hosts.router, rules.router, channels.router)
