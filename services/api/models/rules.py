"""Alert rules as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.api.models.text import Name, WebLink, refused
from services.api.models.triggers import AskedScope, AskedTrigger
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.rules import AlertRule, AllHosts, Severity


def _distinct(channels: tuple[UUID, ...]) -> tuple[UUID, ...]:
    if len(set(channels)) != len(channels):
        raise refused("channels", "a channel comes twice", "each channel once")
    return channels


ChannelIds = Annotated[tuple[UUID, ...], Field(max_length=20), AfterValidator(_distinct)]
Count = Annotated[int, Field(strict=True, ge=1, le=10)]

_EXAMPLE: JsonDict = {
    "name": "Expires within a month",
    "trigger": {"kind": "expires-in-less-than", "days": 30},
    "scope": {"kind": "tag", "tag": "prod"},
    "severity": "warning",
    "channels": [],
}


def _unset() -> Any:
    return None


class RuleOptions(BaseModel):
    """What may be said about a rule besides its condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, strict=True, description="A disabled rule judges nothing")
    channels: ChannelIds = Field((), description="Where its alerts go; none: in the app only")
    open_after: Count = Field(
        default_factory=_unset, description="Consecutive judgements `true` before an alert opens; default by trigger"
    )
    close_after: Count = Field(
        default_factory=_unset, description="Consecutive judgements `false` before it closes; default by trigger"
    )
    remind_every_minutes: Annotated[int, Field(strict=True, ge=5, le=43_200)] | None = Field(
        None, description="Tell again that often while it is open and nobody has acknowledged it"
    )
    runbook_url: WebLink | None = Field(None, description="What to do; put into every message")


class RuleToAdd(RuleOptions):
    """A new alert rule."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name = Field(examples=["Expires within a month"])
    trigger: AskedTrigger = Field(description="When it is true")
    scope: AskedScope = Field(default=AllHosts(), description="For which hosts")
    severity: Severity


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class RulePatch(RuleOptions):
    """What is to change; fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: Name = Field(default_factory=_unset)
    trigger: AskedTrigger = Field(default_factory=_unset)
    scope: AskedScope = Field(default_factory=_unset)
    severity: Severity = Field(default_factory=_unset)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class RuleView(AlertRule):
    """A rule as answers show it."""

    snoozed_until: datetime | None = Field(None, description="While a snooze of the rule itself runs")
    href: str = Field(examples=["/api/v1/workspaces/default/rules/018f3e5c-0000-7000-8000-000000000002"])


class RuleDetail(RuleView):
    """A rule, and what is allowed in it but seldom meant."""

    warnings: list[str] = Field(examples=[["No host carries the tag prod now."]])


class RuleListing(BaseModel):
    """Which page of the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None
