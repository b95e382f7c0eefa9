"""What people ask us to watch: hosts, and commands to hosts."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.envelope import Event


class Interval(StrEnum):
    """How often a host is scanned."""

    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H6 = "6h"
    H24 = "24h"

    @property
    def length(self) -> timedelta:
        """The interval as a timedelta."""
        return _LENGTHS[self]


_LENGTHS = {
    Interval.M5: timedelta(minutes=5),
    Interval.M15: timedelta(minutes=15),
    Interval.H1: timedelta(hours=1),
    Interval.H6: timedelta(hours=6),
    Interval.H24: timedelta(hours=24),
}


class HostStatus(StrEnum):
    """`deleted` is a last record; its tombstone follows after 30 days."""

    ACTIVE = "active"
    PAUSED = "paused"
    DELETED = "deleted"


class Trust(StrEnum):
    """Which trust anchors a host's chain is judged against."""

    ANY = "any"
    PUBLIC = "public"
    PRIVATE = "private"


class Probing(StrEnum):
    """`handshake-only` asks for light scans alone."""

    FULL = "full"
    HANDSHAKE_ONLY = "handshake-only"


class Protocol(StrEnum):
    """What is spoken before TLS; `auto` chooses by port and by the peer's first bytes."""

    AUTO = "auto"
    TLS = "tls"
    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"
    LDAP = "ldap"
    FTP = "ftp"
    XMPP = "xmpp"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


class Target(BaseModel):
    """The host facts a scan was asked with; a request, its snapshot and its report card repeat them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    workspace_id: UUID
    host_id: UUID
    host_version: int = Field(ge=1)
    hostname: str
    port: int = Field(ge=1, le=65535)
    address: str | None = None
    sni: str | None = None
    protocol: Protocol = Protocol.AUTO
    trust: Trust = Trust.ANY
    pool: str = "public"
    probing: Probing = Probing.FULL

    @property
    def peer(self) -> tuple[object, ...]:
        """What decides whom a scan meets. When it changes, what was known of the old peer says nothing of the new."""
        return (self.hostname, self.port, self.address, self.sni, self.protocol, self.pool)


class HostSnooze(BaseModel):
    """All alerts of the host are suppressed from `since` to `until`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: datetime
    until: datetime
    reason: str = ""
    by: str = ""


class Host(Event):
    """One version of a monitored host: the whole record, latest version wins."""

    type_name: ClassVar[str] = "host"

    host_id: UUID
    workspace_id: UUID
    version: int = Field(ge=1)
    status: HostStatus
    hostname: str
    port: int = Field(ge=1, le=65535)
    interval: Interval
    tags: tuple[str, ...] = ()
    protocol: Protocol = Protocol.AUTO
    sni: str | None = None
    address: str | None = None
    pool: str = "public"
    trust: Trust = Trust.ANY
    probing: Probing = Probing.FULL
    owner: str | None = None
    notes: str | None = None
    runbook_url: str | None = None
    references: tuple[str, ...] = ()
    snooze: HostSnooze | None = None
    created_at: datetime
    updated_at: datetime

    def target(self) -> Target:
        """The facts a scan request repeats."""
        return Target(
            workspace_id=self.workspace_id,
            host_id=self.host_id,
            host_version=self.version,
            hostname=self.hostname,
            port=self.port,
            address=self.address,
            sni=self.sni,
            protocol=self.protocol,
            trust=self.trust,
            pool=self.pool,
            probing=self.probing,
        )


class HostCommandKind(StrEnum):
    """What a person can ask of a host. `rejudge` is a light scan, for other anchors than before may judge it."""

    SCAN = "scan"
    REJUDGE = "rejudge"
    ACKNOWLEDGE = "acknowledge"


class HostCommand(Event):
    """A command to a host; it waits until the host `version` it was given on is known."""

    type_name: ClassVar[str] = "host-command"

    command_id: UUID
    host_id: UUID
    workspace_id: UUID
    host_version: int = Field(ge=1)
    kind: HostCommandKind
    alert_id: UUID | None = None
    note: str | None = None
    by: str
    at: datetime
