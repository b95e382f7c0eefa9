"""/workspaces: where the caller is a member."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from services.api.auth import TokenCaller
from services.api.models.people import Place, Places, WorkspaceView
from services.api.openapi import BASE, problems
from services.api.permissions import Permission
from services.api.reading import Viewing
from services.api.resources import resources
from services.api.stores import workspaces as store
from vigilo.adapters.postgres import tenant

router = APIRouter(tags=["workspaces"])


@router.get("/api/v1/workspaces", responses=problems())
async def list_workspaces(request: Request, caller: TokenCaller) -> Places:
    """The workspaces of the token's user; of a machine's token the one it was made in."""
    async with resources(request).pool.connection() as connection:
        if caller.user_id is not None and caller.scopes is None:
            return Places(items=[Place.model_validate(row) for row in await store.of_user(connection, caller.user_id)])
        async with tenant(connection, caller.workspace_id, read_only=True):
            row = await store.present(connection)
    return Places(items=[Place.model_validate(_with_role(row, caller.role.label))])


@router.get(BASE, responses=problems())
async def get_workspace(reading: Viewing) -> WorkspaceView:
    """One workspace, and what you may do in it."""
    row = await store.present(reading.connection)
    may = [permission for permission in Permission if reading.caller.may(permission)]
    return WorkspaceView.model_validate({**_with_role(row, reading.caller.role.label), "permissions": may})


def _with_role(row: dict[str, Any], role: str) -> dict[str, Any]:
    return {**row, "role": role}
