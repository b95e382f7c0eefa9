"""The audit log as requests ask for it and as answers show it. Pure."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.api.models.text import Instant, Line
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.records import AuditEntry


class AuditEntryView(AuditEntry):
    """One entry. Its hash is over everything but `hash` and `actor_name`, which is the actor's name of today."""

    actor_name: str | None = Field(None, description="Null for one who is no member any more, and for the system")


class AuditSelection(BaseModel):
    """Which entries; all filters must fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actor: Line | None = Field(
        None,
        description="Who did it: user:<id>, token:<id> or system",
        examples=["user:018f3e5c-0000-7000-8000-000000000001"],
    )
    action: Line | None = Field(None, description="What was done: `host.edit`, or `host` for all of that kind")
    subject: Line | None = Field(
        None, description="What it was done to", examples=["host:018f3e5c-0000-7000-8000-000000000001"]
    )
    since: Instant | None = Field(None, description="Not before", examples=["2026-11-01T00:00:00Z"])
    until: Instant | None = Field(None, description="Before", examples=["2026-12-01T00:00:00Z"])


class AuditListing(AuditSelection):
    """Which entries, and which page."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class ExportFormat(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


class AuditExport(AuditSelection):
    """Which entries to export, and how."""

    format: ExportFormat = Field(ExportFormat.NDJSON, description="ndjson: one entry a line, to the letter of its hash")
