"""Why there is an alert, or none, as answers show it. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.models.observed import HostRef
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.why import Decider
from vigilo.events.alerts import AlertFacts, CloseReason, DecidedBy, TransitionKind
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import Scope, Severity
from vigilo.events.text import PeerText
from vigilo.events.triggers import Trigger


class _FromCore(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SilenceView(_FromCore):
    """A snooze that runs now and covers this rule at this host."""

    kind: str = Field(description="host, rule or tag")
    until: datetime
    reason: str = ""
    by: str = ""
    tag: str | None = None


class CountingView(_FromCore):
    """How far confirmation has come, as far as the read model knows."""

    count: int
    needed: int


class RuleNow(BaseModel):
    """The rule as it is now."""

    rule_id: UUID
    version: int
    name: str
    enabled: bool
    trigger: Trigger
    scope: Scope
    severity: Severity
    open_after: int
    close_after: int


class Step(BaseModel):
    """One transition, and what decided it."""

    alert_id: UUID
    n: int
    kind: TransitionKind
    at: datetime
    cause: str
    rule_version: int
    close_reason: CloseReason | None = None
    summary: PeerText
    decided_by: DecidedBy


class NowView(BaseModel):
    """What the rule says of the host now."""

    decider: Decider = Field(description="What decides: the first that applies, from paused host to the answer")
    answer: Judgement
    in_scope: bool
    host_status: HostStatus
    rule: RuleNow
    changes_at: datetime | None = Field(description="When time alone will change the answer")
    counting: CountingView | None = Field(None, description="While an alert waits to be confirmed, or to be over")
    snoozes: list[SilenceView]
    facts: AlertFacts = Field(description="What the answer is judged from")
    scans: int | None = Field(description="So many scans in a row told the same")
    same_since: datetime | None = Field(description="The first of them was asked for then")


class WhyView(BaseModel):
    """Why a rule has, or has not, an alert at a host."""

    sentence: str
    at: datetime
    host: HostRef
    now: NowView | None = Field(description="Null once the rule or the host is deleted")
    transitions: list[Step] = Field(description="The last ten, newest first")


class AlertThen(BaseModel):
    """What the alert rests on."""

    alert_id: UUID
    rule_version: int = Field(description="The version that decided its last transition")
    rule_version_now: int | None = Field(description="Null once the rule is deleted")
    facts: AlertFacts = Field(description="As its last transition has them")


class AlertWhyView(WhyView):
    """Why this alert came to be, and what is so now."""

    alert: AlertThen
