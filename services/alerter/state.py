"""The rows of the alerter. Optional fields with defaults only: an older row must stay readable."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.alerting.knowledge import Course, Knowledge
from vigilo.alerting.lifecycle import AlertState
from vigilo.events.hosts import Host, HostStatus, Target


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Order(_Row):
    """A place in the host's order of scans."""

    requested_at: datetime
    scan_id: UUID

    def after(self, other: Order | None) -> bool:
        """True if the host was scanned later than by `other`; anything comes after nothing."""
        return other is None or (self.requested_at, self.scan_id) > (other.requested_at, other.scan_id)


class HostAlerts(_Row):
    """The guard row of one host, rewritten by each of its cards.

    `version`, `status`: of the last host record, 0 and None before the first. `card`: the newest card applied; `seen`:
    the newest that saw a certificate; `judged_by`: a mark of the rulebook and trust store that judged it. `changed`:
    the newest certificate change applied. `rules_version`, `snoozes_version`: up to where the configuration was read
    when the host was last judged, -1 for never. `due`: its timer. `woken`: id of the last timer applied. `alerts`: of
    rules that ever had one here.
    """

    workspace_id: UUID | None = None
    version: int = 0
    status: HostStatus | None = None
    card: Order | None = None
    seen: Order | None = None
    judged_by: int | None = None
    changed: Order | None = None
    rules_version: int = -1
    snoozes_version: int = -1
    due: datetime | None = None
    woken: str | None = None
    alerts: Mapping[UUID, AlertState] = Field(default_factory=dict)
    course: Course = Course()


class HostFacts(_Row):
    """The side row of one host, written only when it changes.

    `target`: whom the cards behind `known` met. What was learnt of another peer than the host's is not used: the host
    record may be behind the card, or ahead of it. `paused`: the version of the host record that paused it, until a
    later one is scanned; what was seen before a pause may have been mended in it.
    """

    host: Host | None = None
    known: Knowledge | None = None
    target: Target | None = None
    paused: int | None = None

    @property
    def usable(self) -> Knowledge | None:
        """What is known of the host's present peer, and was not last seen before a pause."""
        if self.host is None or self.target is None or self.target.peer != self.host.target().peer:
            return None
        return self.known if self.paused is None else None

    def paused_before(self, seen: Target) -> int | None:
        """`paused` as it is after a scan of that target: a request names the version of the host it was made of."""
        return None if self.paused is None or seen.host_version > self.paused else self.paused
