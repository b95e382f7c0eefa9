"""The addresses of the API; each handler gathers, lets a pure function decide, and applies."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from services.api.routes import (
    alerts,
    audit,
    cards,
    certificates,
    channels,
    deliveries,
    events,
    hosts,
    invitations,
    members,
    pools,
    previews,
    quota,
    roots,
    rules,
    snapshots,
    snoozes,
    tokens,
    why,
    workspaces,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    hosts.router,
    snapshots.router,
    cards.router,
    certificates.router,
    alerts.router,
    deliveries.router,
    previews.router,
    why.router,
    rules.router,
    snoozes.router,
    channels.router,
    quota.router,
    pools.router,
    roots.router,
    workspaces.router,
    members.router,
    invitations.router,
    tokens.router,
    audit.router,
    events.router,
)
