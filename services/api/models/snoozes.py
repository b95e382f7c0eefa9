"""Snoozes as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic.json_schema import WithJsonSchema

from services.api.models.text import Instant, Line, Tag, refused
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.rules import Snooze

_SHORT_LENGTH: Final = re.compile(r"(?P<count>\d{1,5})(?P<unit>[mhdw])")
_ISO_LENGTH: Final = re.compile(r"P(?=\w)(\d{1,3}W)?(\d{1,3}D)?(T(?=\d)(\d{1,5}H)?(\d{1,6}M)?)?")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EXAMPLE: Final[JsonDict] = {"for": "1d", "reason": "CHG-1024"}
_TAG_EXAMPLE: Final[JsonDict] = {
    "tag": "datacentre-2",
    "since": "2026-12-05T22:00:00Z",
    "for": "6h",
    "reason": "CHG-1024",
}


def _length(text: object) -> object:
    if not isinstance(text, str):
        raise refused("length", "it is not text", "such as 1h, 1d, 1w, or an ISO 8601 duration such as PT90M")
    if match := _SHORT_LENGTH.fullmatch(text):
        return timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if _ISO_LENGTH.fullmatch(text):
        return text
    raise refused("length", "it is not a length of time", "such as 1h, 1d, 1w, or an ISO 8601 duration such as PT90M")


Length = Annotated[
    timedelta, BeforeValidator(_length), WithJsonSchema({"type": "string", "examples": ["1h", "1d", "1w", "PT90M"]})
]


class SnoozeToStart(BaseModel):
    """How long alerts are to be held back: either `for` or `until`, from now on or from `since`."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    length: Length | None = Field(None, alias="for", description="So long: 1h, 1d, 1w, or an ISO 8601 duration")
    until: Instant | None = Field(None, description="Until then, with a time zone; at most a year from now")
    since: Instant | None = Field(None, description="Not before then; left out, or past: from now on")
    reason: Line = Field("", description="Why; shown with what is snoozed", examples=["CHG-1024"])

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.length is None) == (self.until is None):
            raise refused("snooze", "it needs one end", "either `for` or `until`")
        return self


class SnoozeToAdd(SnoozeToStart):
    """What is to be snoozed, a rule or all hosts with a tag, and how long."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TAG_EXAMPLE]})

    rule_id: UUID | None = Field(None, description="This rule, at all its hosts")
    tag: Tag | None = Field(None, description="Every rule, at all hosts that carry the tag")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.rule_id is None) == (self.tag is None):
            raise refused("snooze", "it is not said what to snooze", "either `rule_id` or `tag`")
        return self


class SnoozeView(Snooze):
    """A snooze that runs, or will."""

    by_name: str | None = Field(None, description="Today's name of who began it")
    running: bool = Field(description="False while it is still to come")
    href: str = Field(examples=["/api/v1/workspaces/default/snoozes/018f3e5c-0000-7000-8000-000000000004"])


class SnoozeListing(BaseModel):
    """Which snoozes, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: UUID | None = Field(None, description="Only of this rule")
    tag: Line | None = Field(None, max_length=64, description="Only of this tag", examples=["prod"])
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None
