"""/rules/preview: a rule is tried before it is saved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from services.api import previewing
from services.api.commands import rules as decide
from services.api.models.previews import PreviewRequest, PreviewView
from services.api.openapi import BASE, problems
from services.api.permissions import Permission
from services.api.reading import Reader, reading
from services.api.stores import rules as store
from vigilo.alerting.replay import Window
from vigilo.events.ids import new_id

router = APIRouter(prefix=f"{BASE}/rules", tags=["rules"])

Previewing = Annotated[Reader, Depends(reading(Permission.RULE_PREVIEW), scope="function")]


@router.post("/preview", responses=problems(404, 422))
async def preview(body: PreviewRequest, trying: Previewing) -> PreviewView:
    """What a rule would have opened and closed over the last days, host by host. Nothing is saved or sent."""
    until = datetime.now(UTC)
    present = None if body.rule_id is None else await store.load(trying.connection, body.rule_id)
    draft = decide.add(
        body.rule,
        workspace_id=trying.caller.workspace_id,
        rule_id=new_id() if present is None else present.rule_id,
        at=until,
    )
    await store.check_references(trying.connection, draft)
    trial = previewing.Trial(draft, present, Window(until - timedelta(days=body.days), until))
    gathered = await previewing.gather(trying.connection, trial)
    found = await asyncio.to_thread(previewing.tried, trial, gathered)
    return previewing.shown(trial, gathered, found)
