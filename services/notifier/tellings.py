"""What one delivery tells: kept in the ledger as it was decided, put into a channel's own form when it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.rules import Severity

LINES_MAX = 20


class _Telling(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TransitionTelling(_Telling):
    """One transition of one alert. `by_name`: the name of its `by` when it is sent; never kept."""

    kind: Literal["transition"] = "transition"
    transition: AlertTransition
    by_name: str | None = Field(None, exclude=True)


class DigestLine(_Telling):
    """One of the transitions a digest stands for."""

    alert_id: UUID
    host_id: UUID
    where: str
    summary: str
    severity: Severity


class DigestTelling(_Telling):
    """Many transitions of one cause in one message: the first `lines`, and how many there are in all.

    `title` says what they have in common (the rule, or the rulebook); `severity` is the highest of them.
    """

    kind: Literal["digest"] = "digest"
    workspace_id: UUID
    what: TransitionKind
    title: str
    severity: Severity
    count: int = Field(ge=2)
    lines: tuple[DigestLine, ...] = Field(max_length=LINES_MAX)
    at: datetime


class TestTelling(_Telling):
    """A person wants to see that the channel works. `by_name` as with transitions."""

    __test__ = False

    kind: Literal["test"] = "test"
    channel: str
    by: str
    at: datetime
    by_name: str | None = Field(None, exclude=True)


class NoticeTelling(_Telling):
    """Something that is no alert: a pool without its network, another channel that keeps failing."""

    kind: Literal["notice"] = "notice"
    workspace_id: UUID
    title: str
    text: str
    severity: Severity = Severity.WARNING
    at: datetime


Telling = Annotated[
    TransitionTelling | DigestTelling | TestTelling | NoticeTelling,
    Field(discriminator="kind"),
]
