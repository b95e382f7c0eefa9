"""Facts of handshakes beyond certificates: who read them, without SNI, client certificates, resumption. No verdicts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.posture import Support
from vigilo.events.text import PeerText

CA_NAMES_MAX = 10


class ReadBy(StrEnum):
    """Who read the certificates: the TLS library in a finished handshake, or our own reader where it refuses."""

    LIBRARY = "library"
    OWN = "own"


class WithoutSni(BaseModel):
    """The same address asked without a server name. `outcome` as of a scan; a server may well refuse."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: str
    detail: PeerText | None = None
    alert: str | None = None
    tls_version: str | None = None
    chain_sha256: tuple[str, ...] = Field(default=(), max_length=32)
    subject: PeerText | None = None
    issuer: PeerText | None = None
    san: tuple[PeerText, ...] = Field(default=(), max_length=10)
    san_count: int = 0
    not_after: datetime | None = None
    same_leaf: bool | None = None


class ClientCertificateFacts(BaseModel):
    """A server that asks for a client certificate. `required` is None when it could not be told.

    `ca_names` are the issuers it says it accepts, the first ten; `ca_names_count` counts them all.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    required: bool | None = None
    ca_names: tuple[PeerText, ...] = Field(default=(), max_length=CA_NAMES_MAX)
    ca_names_count: int = 0


class ResumptionFacts(BaseModel):
    """Can a session be resumed? `accepted` means that it was.

    `session_id` and `ticket` are of TLS 1.2 and older (RFC 5246 section 7.3, RFC 5077), `tls13` of TLS 1.3 (RFC 8446
    section 2.2). `ticket_issued` and `tls13_ticket_issued` tell whether one was sent at all: a ticket of TLS 1.2 issued
    beside TLS 1.3 is not tried. Lifetime in seconds as hinted after a handshake of the best version; `max_early_data`
    in bytes, 0 when the ticket allows none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_id: Support = Support.UNKNOWN
    ticket: Support = Support.UNKNOWN
    ticket_issued: bool | None = None
    tls13: Support = Support.UNKNOWN
    tls13_ticket_issued: bool | None = None
    ticket_lifetime_seconds: int | None = None
    max_early_data: int | None = None
