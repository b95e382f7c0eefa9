"""What the grader says of a snapshot: its report card, and certificate changes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.clients import CLIENTS_MAX, ClientResult
from vigilo.events.envelope import Event
from vigilo.events.facts import StapleStatus, WeakKeyHint
from vigilo.events.hosts import Target
from vigilo.events.scans import Outcome
from vigilo.events.text import PeerText


class Grade(StrEnum):
    """Best first."""

    A_PLUS = "A+"
    A = "A"
    A_MINUS = "A-"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"

    @property
    def rank(self) -> int:
        """0 for A+, 7 for F."""
        return _RANKS[self]


_RANKS = {grade: rank for rank, grade in enumerate(Grade)}


class Verdict(StrEnum):
    """Three-valued: `unknown` is never treated as a failure."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class TrustReason(StrEnum):
    """Why a chain is not (known to be) valid. Chain validation fails for all but the last two."""

    UNKNOWN_ISSUER = "unknown-issuer"
    SELF_SIGNED = "self-signed"
    INCOMPLETE = "incomplete"
    BAD_SIGNATURE = "bad-signature"
    CONSTRAINT = "constraint"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    DISTRUSTED = "distrusted"
    REVOKED = "revoked"
    TOO_COMPLEX = "too-complex"
    UNREADABLE = "unreadable"


class TrustDomain(StrEnum):
    """Whose anchors."""

    PUBLIC = "public"
    PRIVATE = "private"


class TrustVerdict(BaseModel):
    """Is the chain as served valid for one trust domain? `depth` counts from the leaf, 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    domain: TrustDomain
    trusted: Verdict
    reason: TrustReason | None = None
    detail: PeerText | None = None
    depth: int | None = None
    certificate_sha256: str | None = None


class FindingLevel(StrEnum):
    """How much a finding weighs."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class Special(StrEnum):
    """What the SSL Server Rating Guide writes in a letter's place: not trusted, name mismatch."""

    T = "T"
    M = "M"


class Finding(BaseModel):
    """One rule's result. `cap` is the best grade the card can still get; `evidence` is what was seen.

    `help` is the anchor in docs/troubleshooting.md that explains it, for lines that are not good news.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: str
    level: FindingLevel
    title: str
    evidence: PeerText
    cap: Grade | None = None
    citation: str
    help: str | None = None
    special: Special | None = None


class Improvement(BaseModel):
    """One thing to mend, and the letter the card would have if it and all that come before it were mended."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: str
    fix: str
    grade_then: Grade


class PathCertificate(BaseModel):
    """One certificate of the served chain, in the few facts alert rules and messages use. Leaf first.

    Algorithms by the names `CertificateFacts` has for them, a key of another kind by the name of that kind (ML-DSA-65);
    null = not readable.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fingerprint_sha256: str
    subject: PeerText
    issuer: PeerText
    not_before: datetime | None = None
    not_after: datetime | None = None
    key_algorithm: PeerText | None = None
    key_bits: int | None = None
    signature_algorithm: PeerText | None = None
    weak_key: tuple[WeakKeyHint, ...] = ()


class ReportCard(Event):
    """Exactly one per snapshot; failed scans have an outcome and no letter.

    Holds every fact an alert rule may use. `late` marks the card of a snapshot older than one already applied: it is
    history, never news. `posture_grade` is the letter if trust and name were in order.

    `provisional`: what the host accepts was not enumerated yet, the letter rests on handshakes alone. `deciding` names
    the rules that hold the letter where it is, `to_improve` the way up, the greatest effect first. `special` is what a
    rulebook has in place of F where the certificate is at fault. `clients` is what well-known clients would get, worked
    out from the posture; empty until there is one.

    `versions_accepted` and `versions_rejected` are from the posture, oldest first, with the version of this scan's own
    handshake among the accepted: a version in neither is not known.
    `staple_wanted`: the leaf names an OCSP responder or must be stapled (RFC 7633); null while no certificate was seen.
    """

    type_name: ClassVar[str] = "report-card"

    scan_id: UUID
    target: Target
    requested_at: datetime
    late: bool = False
    outcome: Outcome
    detail: PeerText | None = None
    grade: Grade | None = None
    posture_grade: Grade | None = None
    special: Special | None = None
    provisional: bool = False
    deciding: tuple[str, ...] = ()
    to_improve: tuple[Improvement, ...] = ()
    findings: tuple[Finding, ...] = ()
    clients: tuple[ClientResult, ...] = Field(default=(), max_length=CLIENTS_MAX)
    trust: tuple[TrustVerdict, ...] = ()
    chain_valid: Verdict = Verdict.UNKNOWN
    chain_reason: TrustReason | None = None
    chain_detail: PeerText | None = None
    name_matches: Verdict = Verdict.UNKNOWN
    path: tuple[PathCertificate, ...] = ()
    names: tuple[PeerText, ...] = ()
    names_count: int = 0
    staple_status: StapleStatus | None = None
    staple_wanted: bool | None = None
    tls_version: str | None = None
    versions_accepted: tuple[str, ...] = ()
    versions_rejected: tuple[str, ...] = ()
    pool_suspect: bool = False
    rulebook: str
    trust_store: str
    graded_at: datetime

    @property
    def host_id(self) -> UUID:
        """The host the card is about."""
        return self.target.host_id

    @property
    def order(self) -> tuple[datetime, UUID]:
        """Same order as the snapshots'."""
        return (self.requested_at, self.scan_id)


class ChangeKind(StrEnum):
    """What became another one: the host's own certificate, or, under the same one, those served above it."""

    LEAF = "leaf"
    CHAIN = "chain"


class Unexpected(StrEnum):
    """What a mere renewal would not do. `replaced-early`: with more than half of its life left."""

    ISSUER_CHANGED = "issuer-changed"
    NAME_LOST = "name-lost"
    KEY_WEAKER = "key-weaker"
    REPLACED_EARLY = "replaced-early"


class CertificateChange(Event):
    """A host serves another leaf than before, or (`kind` chain: `old` is `new`) other certificates above the same one.

    None for a first certificate, for the first of another peer, or while addresses differ. Null means not known, as it
    does where the old certificate's bytes are no longer kept.

    `names_*` are compared without regard to case, over all names of type DNS and IP address; the counts are exact, the
    lists hold what fits in 100 names and 8,192 characters. `issuer_changed` compares the distinguished names,
    `issuer_key_changed` the authority key identifiers (RFC 5280 section 4.2.1.1). `key_weaker` compares strengths up to
    128 bits (NIST SP 800-57 part 1, table 2): beyond that no key is weaker than another. `chain_added` and `chain_lost`
    are certificates above the leaf, the first eight; empty, too, when the old chain's bytes are no longer kept.
    """

    type_name: ClassVar[str] = "certificate-change"

    scan_id: UUID
    target: Target
    requested_at: datetime
    kind: ChangeKind = ChangeKind.LEAF
    old: PathCertificate
    new: PathCertificate
    days_left_of_old: float | None = None
    share_left_of_old: float | None = Field(default=None, le=1)
    key_reused: bool | None = None
    old_key: PeerText | None = None
    new_key: PeerText | None = None
    key_weaker: bool | None = None
    issuer_changed: bool
    issuer_key_changed: bool | None = None
    names_added: tuple[PeerText, ...] = ()
    names_lost: tuple[PeerText, ...] = ()
    names_added_count: int | None = Field(default=None, ge=0)
    names_lost_count: int | None = Field(default=None, ge=0)
    chain_changed: bool | None = None
    chain_added: tuple[PathCertificate, ...] = ()
    chain_lost: tuple[PathCertificate, ...] = ()
    unexpected: tuple[Unexpected, ...] = ()

    @property
    def host_id(self) -> UUID:
        """The host the change is of."""
        return self.target.host_id
