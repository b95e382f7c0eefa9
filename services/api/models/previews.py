"""A draft of a rule, and what it would have done, as requests and answers show it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.api.models.observed import HostRef
from services.api.models.rules import RuleToAdd
from vigilo.alerting.trial import FLAPPING, Difference
from vigilo.events.alerts import CloseReason

_EXAMPLE: JsonDict = {
    "rule": {"name": "Expires soon", "trigger": {"kind": "expires-in-less-than", "days": 14}, "severity": "warning"},
    "days": 30,
}


class PreviewRequest(BaseModel):
    """A draft, to be tried on the last days."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    rule: RuleToAdd = Field(description="As in POST rules")
    days: Annotated[int, Field(strict=True, ge=1, le=90)] = Field(30, description="So far back, from now")
    rule_id: UUID | None = Field(None, description="The rule whose present version the draft is compared with")


class EpisodeView(BaseModel):
    """One alert it would have opened."""

    opened_at: datetime
    closed_at: datetime | None = Field(None, description="Null: it would be open now")
    close_reason: CloseReason | None = None


class HostPreview(BaseModel):
    """What the draft would have done at one host."""

    host: HostRef
    judged_from: datetime = Field(description="Earlier there is no report card of it")
    opened: int
    closed: int
    open_now: bool
    open_always: bool = Field(description="Open from the first judgement to now")
    flapping: bool = Field(description=f"{FLAPPING} alerts or more")
    episodes: list[EpisodeView] = Field(description="The newest 50, oldest first")


class PreviewTotals(BaseModel):
    """Counts over all hosts in the draft's scope that are watched now."""

    hosts: int
    unjudged: int = Field(description="Hosts of which no report card is kept")
    paused: int = Field(description="Hosts left out because they are paused now")
    fired: int = Field(description="Hosts with an alert at all")
    opened: int
    closed: int
    open_now: int = Field(description="Hosts")
    open_always: int = Field(description="Hosts")
    flapping: int = Field(description="Hosts")


class DifferenceView(BaseModel):
    """One alert that differs."""

    host: HostRef
    kind: Difference
    before: EpisodeView | None = None
    after: EpisodeView | None = None


class ComparisonView(BaseModel):
    """The draft against the rule as it is, tried in the same way."""

    rule_id: UUID
    version: int
    enabled: bool = Field(description="False: it is disabled and opens nothing, so every alert is an added one")
    added: int
    removed: int
    moved: int
    differences: list[DifferenceView] = Field(description="The first 200")


class PreviewView(BaseModel):
    """What a draft would have done, had it been saved at `since`."""

    since: datetime
    until: datetime
    known_since: datetime | None = Field(
        description="The first instant of the window for which the read model keeps what previews read; later than "
        "`since` where it was filled later: `vigilo rebuild` fills it from the topics"
    )
    sentence: str = Field(
        examples=["In the last 30 days it would have opened 3 alerts on 2 of 40 hosts, open now on 1."]
    )
    totals: PreviewTotals
    hosts: list[HostPreview] = Field(description="Hosts with alerts, the worst first, at most 200")
    compared: ComparisonView | None = None
    assumptions: list[str] = Field(description="What the answer rests on")
