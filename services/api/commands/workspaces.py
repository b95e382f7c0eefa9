"""What becomes of a workspace when it is made. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import record_id
from vigilo.events.rules import WorkspaceSettings


def add(name: str, *, workspace_id: UUID) -> WorkspaceSettings:
    """The first version of a workspace."""
    return WorkspaceSettings(workspace_id=workspace_id, version=1, name=name)


def record(settings: WorkspaceSettings, *, at: datetime) -> OutgoingEvent:
    """The event that tells this version."""
    identity = record_id(settings.workspace_id, settings.version)
    return OutgoingEvent("workspace-settings", str(settings.workspace_id), identity, settings, at)
