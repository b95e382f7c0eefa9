"""What a server accepts, as probes found it. No verdicts; nothing here is true of a server that was not asked."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.text import PeerText

SUITES_MAX = 200
GROUPS_MAX = 60
NOTES_MAX = 10
VULNERABILITIES_MAX = 20


class Support(StrEnum):
    """Three values: what a server did not answer is neither accepted nor rejected."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class SuiteOrder(StrEnum):
    """Whose order of preference decides."""

    SERVER = "server"
    CLIENT = "client"


class Exposure(StrEnum):
    """Three values here, too: a probe that was not answered clearly says nothing."""

    VULNERABLE = "vulnerable"
    SAFE = "safe"
    UNKNOWN = "unknown"


class Vulnerability(BaseModel):
    """What one probe for a known hole found: heartbleed, ccs-injection, ticketbleed, robot.

    `evidence` says in our words what the server did; nothing that it should not have sent is ever kept.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    exposure: Exposure = Exposure.UNKNOWN
    evidence: PeerText = ""


class VersionPosture(BaseModel):
    """One protocol version: SSLv2, SSLv3, TLSv1.0 to TLSv1.3.

    `suites` are IANA names in the server's order of preference (`order` server), else in ours. `complete` is False when
    an answer stayed unclear: there may be more suites. `chacha_first` is True when the server follows clients that put
    ChaCha20 first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    support: Support = Support.UNKNOWN
    suites: tuple[str, ...] = Field(default=(), max_length=SUITES_MAX)
    suites_count: int = 0
    complete: bool = False
    order: SuiteOrder | None = None
    chacha_first: bool | None = None


class GroupsPosture(BaseModel):
    """Key agreement groups by their IANA names, in the order in which the server chose them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    groups: tuple[str, ...] = Field(default=(), max_length=GROUPS_MAX)
    complete: bool = False
    order: SuiteOrder | None = None


class Posture(BaseModel):
    """The result of one enumeration, at one address.

    `throttled`: the closing probe was not answered as the first one had been, so no rejection can be believed and all
    of them are `unknown`. `dh_bits` is the smallest DH prime seen. `groups` are those of TLS 1.3, `groups_tls12` those
    of the best older version. `notes` tell what the server stumbled over. `vulnerabilities` has one entry for each
    probe that was asked for. `connections` counts all probes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    versions: tuple[VersionPosture, ...] = ()
    groups: GroupsPosture | None = None
    groups_tls12: GroupsPosture | None = None
    dh_bits: int | None = None
    compression: Support = Support.UNKNOWN
    secure_renegotiation: Support = Support.UNKNOWN
    fallback_scsv: Support = Support.UNKNOWN
    extended_master_secret: Support = Support.UNKNOWN
    encrypt_then_mac: Support = Support.UNKNOWN
    session_tickets: Support = Support.UNKNOWN
    alpn: tuple[PeerText, ...] = ()
    throttled: bool = False
    notes: tuple[PeerText, ...] = Field(default=(), max_length=NOTES_MAX)
    vulnerabilities: tuple[Vulnerability, ...] = Field(default=(), max_length=VULNERABILITIES_MAX)
    address: str | None = None
    connections: int = 0
    duration_ms: int | None = Field(default=None, ge=0)

    def supporting(self, support: Support) -> tuple[str, ...]:
        """The versions of that support, oldest first."""
        return tuple(one.version for one in self.versions if one.support is support)


class PostureSource(StrEnum):
    """How a snapshot came by its posture."""

    MEASURED = "measured"
    CHECKED = "checked"
    CARRIED = "carried"


class PostureOrigin(BaseModel):
    """Which scan the posture is from. Times are those scans' `requested_at`.

    `measured`: enumerated by this very scan. `checked`: measured by the scan `scan_id`, and this one found nothing
    added and nothing removed. `carried`: repeated from the request's baseline; this scan says nothing about it.
    `checked_at` is the last scan that measured or checked it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: PostureSource
    scan_id: UUID
    measured_at: datetime
    checked_at: datetime
