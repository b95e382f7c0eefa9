"""Scans: what was asked for, and what was seen."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.envelope import Event
from vigilo.events.facts import CertificateFacts, ChainShape, HstsFacts, SctFacts, StapleFacts, StarttlsFacts
from vigilo.events.handshakes import (
    ClientCertificateFacts,
    ReadBy,
    ResumptionFacts,
    WithoutSni,
)
from vigilo.events.hosts import Protocol, Target
from vigilo.events.posture import Posture, PostureOrigin
from vigilo.events.text import PeerText
from vigilo.events.transcript import Transcript

CHAIN_MAX = 32  # certificates listed in a snapshot; `chain_count` tells how many were served
ADDRESSES_MAX = 16
SCTS_MAX = 10  # signed certificate timestamps of the leaf
POSTURES_MAX = 4  # addresses enumerated by one scan


class Depth(StrEnum):
    """How much of the peer is looked at."""

    LIGHT = "light"
    POSTURE = "posture"
    FULL = "full"


class ScanReason(StrEnum):
    """Why a scan was asked for."""

    FIRST = "first"
    SLOT = "slot"
    COMMAND = "command"
    RECHECK = "recheck"
    RETRY = "retry"
    EDITED = "edited"
    RESUMED = "resumed"
    BASELINE = "baseline"
    PACED = "paced"


class Lane(StrEnum):
    """`now` carries what a person waits for."""

    NOW = "now"
    SLOW = "slow"


class Baseline(BaseModel):
    """What is known of the host so far; scanners keep no state.

    `scan_id`, `requested_at`, `chain_sha256` and `detected_protocol` are of the last good scan; the posture is the last
    believable one, and `posture_origin` says from which scan. `address_postures`: see Snapshot. `transcript` is where
    an enumeration that is spread over several scans stands.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    scan_id: UUID
    requested_at: datetime
    chain_sha256: tuple[str, ...] = ()
    detected_protocol: Protocol | None = None
    posture: Posture | None = None
    posture_origin: PostureOrigin | None = None
    address_postures: tuple[Posture, ...] = Field(default=(), max_length=POSTURES_MAX)
    transcript: Transcript | None = None


class ScanRequested(Event):
    """One scan to perform, worth nothing after `not_after`.

    `probes_max` limits how many questions beyond the handshake are asked, None = all: mail servers are asked a few at
    a time, and the baseline's transcript tells what they have answered so far.
    """

    type_name: ClassVar[str] = "scan-requested"

    scan_id: UUID
    target: Target
    depth: Depth
    reason: ScanReason
    lane: Lane
    requested_at: datetime
    not_after: datetime
    slot: int | None = None
    command_id: UUID | None = None
    baseline: Baseline | None = None
    probes_max: int | None = Field(default=None, ge=0)


class Outcome(StrEnum):
    """How a scan ended. Every scan ends in exactly one; only `ok` has a chain for certain."""

    OK = "ok"
    NAME_NOT_FOUND = "name-not-found"
    DNS_FAILURE = "dns-failure"
    DNS_TIMEOUT = "dns-timeout"
    DENIED = "denied"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect-timeout"
    TLS_TIMEOUT = "tls-timeout"
    RESET = "reset"
    CLOSED = "closed"
    TLS_ALERT = "tls-alert"
    TLS_FAILURE = "tls-failure"
    NOT_TLS = "not-tls"
    STARTTLS_REFUSED = "starttls-refused"
    THROTTLED = "throttled"
    NOT_PERFORMED = "not-performed"


class AddressResult(BaseModel):
    """What one address answered.

    `hello_sha256` is a fingerprint of the choice in its ServerHello (version, suite, group, ALPN, order of extensions):
    addresses of one configuration have one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str
    outcome: Outcome
    detail: PeerText | None = None
    connect_ms: int | None = Field(default=None, ge=0)
    handshake_ms: int | None = Field(default=None, ge=0)
    leaf_sha256: str | None = None
    hello_sha256: str | None = None


class Snapshot(Event):
    """One scan, whole and immutable. Chain is leaf first, as served.

    `chain_der` (base64, same order) is present when the chain differs from the request's baseline and is at most
    256 KiB; `chain_der_omitted` says why it is not. Lists are capped, counts are not.

    `depth` is what was done, not what was asked for: a posture check that met a difference became full. `posture` is
    what the host accepts as far as known, and `posture_origin` says whether this scan measured it; both are None until
    a first enumeration. Where addresses answered differently, `posture` is what any of them accepts and
    `address_postures` holds one for each address enumerated. `throttled`: the server stopped answering in the middle of
    this scan's questions, and what it refused meanwhile was not believed. `transcript`: this scan asked a few of an
    enumeration's questions, and there are more: until the last is answered, nothing of it is in `posture`.

    `protocol` is what was spoken: `tls`, or the protocol whose dialogue was tried before TLS; `starttls` is
    set when that dialogue led to TLS, `hsts` when it was asked for (HTTPS by name).

    `read_by` is `own` where the TLS library refuses the server and our own reader took version, suite and chain from
    what it says in the clear. `scts` are the leaf's timestamps from all sources, the first ten. `without_sni` and
    `resumption` are asked for by full scans.
    """

    type_name: ClassVar[str] = "snapshot"

    scan_id: UUID
    target: Target
    requested_at: datetime
    depth: Depth
    reason: ScanReason
    outcome: Outcome
    detail: PeerText | None = None
    started_at: datetime | None = None
    finished_at: datetime
    duration_ms: int | None = Field(default=None, ge=0)
    address: str | None = None
    addresses: tuple[AddressResult, ...] = ()
    protocol: Protocol | None = None
    tls_version: str | None = None
    cipher_suite: str | None = None
    group: str | None = None
    alpn: PeerText | None = None
    client_certificate_demanded: bool | None = None
    chain: tuple[CertificateFacts, ...] = ()
    chain_count: int = 0
    chain_der: tuple[str, ...] | None = None
    chain_der_omitted: str | None = None
    staple: StapleFacts | None = None
    starttls: StarttlsFacts | None = None
    hsts: HstsFacts | None = None
    read_by: ReadBy | None = None
    chain_shape: ChainShape | None = None
    scts: tuple[SctFacts, ...] = Field(default=(), max_length=SCTS_MAX)
    client_certificate: ClientCertificateFacts | None = None
    without_sni: WithoutSni | None = None
    resumption: ResumptionFacts | None = None
    posture: Posture | None = None
    posture_origin: PostureOrigin | None = None
    address_postures: tuple[Posture, ...] = Field(default=(), max_length=POSTURES_MAX)
    throttled: bool = False
    transcript: Transcript | None = None
    pool_suspect: bool = False
    scanner: str

    @property
    def host_id(self) -> UUID:
        """The host that was scanned."""
        return self.target.host_id

    @property
    def order(self) -> tuple[datetime, UUID]:
        """A host's scans are ordered by this, never by a scanner's clock."""
        return (self.requested_at, self.scan_id)

    @property
    def rollout(self) -> dict[str, tuple[str, ...]]:
        """Addresses by the fingerprint of the leaf they serve, while they serve different ones; else empty."""
        serving = [(one.leaf_sha256, one.address) for one in self.addresses if one.leaf_sha256 is not None]
        leaves = dict.fromkeys(leaf for leaf, _ in serving)
        if len(leaves) < 2:
            return {}
        return {leaf: tuple(address for its, address in serving if its == leaf) for leaf in leaves}

    @property
    def chain_sha256(self) -> tuple[str, ...]:
        """Fingerprints of the chain as served, leaf first."""
        return tuple(certificate.fingerprint_sha256 for certificate in self.chain)
