"""What the grader remembers of a host."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from vigilo.events.cards import PathCertificate
from vigilo.events.scans import Snapshot

SEEN_SCANS = 16
STORED_CHAINS = 3
STORED_CHAINS_BYTES = 400 * 1024  # base64 characters; a row may not exceed 512 KiB


class Rollout(BaseModel):
    """Addresses that did not all serve one leaf: how many served one, and what was seen `times` in a row since."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    addresses: int = 0
    candidate: str | None = None
    times: int = 0


class ServedIssuers(BaseModel):
    """Which certificates are served above the leaf (`issuers_digest`), and which others `times` in a row since."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: str
    candidate: str | None = None
    times: int = 0


class Grades(BaseModel):
    """The guard row: what each scan rewrites.

    `leaf` is the end-entity certificate that is the host's own (services.grader.rollouts), `replaced` the fingerprint
    of the one before, `issuers` what is served above it. All three are of one `peer` (Target.peer), which is that of
    `host_version`; rows of older versions have neither.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    workspace_id: UUID
    requested_at: datetime | None = None
    scan_id: UUID | None = None
    seen: tuple[UUID, ...] = ()
    leaf: PathCertificate | None = None
    rollout: Rollout | None = None
    replaced: str | None = None
    issuers: ServedIssuers | None = None
    peer: tuple[str | int | None, ...] | None = None
    host_version: int | None = None

    @property
    def order(self) -> tuple[datetime, UUID] | None:
        """The newest scan applied, or None before the first."""
        return None if self.requested_at is None or self.scan_id is None else (self.requested_at, self.scan_id)


class StoredChain(BaseModel):
    """One chain as served: hex SHA-256 and base64 DER in the same order, leaf first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fingerprints: tuple[str, ...]
    der: tuple[str, ...]

    def bytes_(self) -> tuple[bytes, ...]:
        """The DER of each certificate."""
        return tuple(base64.b64decode(text) for text in self.der)


class Chains(BaseModel):
    """The last few chains of a host, newest first: a request's baseline may be older than the newest chain."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    chains: tuple[StoredChain, ...] = ()

    def certificates(self) -> Iterator[bytes]:
        """The DER of all of them, of the newest chain first, each from the leaf up."""
        return (der for chain in self.chains for der in chain.bytes_())

    def find(self, fingerprints: tuple[str, ...]) -> StoredChain | None:
        """The stored chain with exactly these certificates."""
        return next((chain for chain in self.chains if chain.fingerprints == fingerprints), None)

    def with_chain(self, chain: StoredChain, *, leaf: str | None = None) -> Chains:
        """This chain first, older ones behind it as far as count and size allow; those of `leaf`, the fingerprint of
        the host's own, before the others: a change is told with what is known of the old certificate."""
        kept = [chain]
        size = sum(map(len, chain.der))
        for older in sorted(self.chains, key=lambda one: one.fingerprints[0] != leaf):
            size += sum(map(len, older.der))
            if older.fingerprints != chain.fingerprints and len(kept) < STORED_CHAINS and size <= STORED_CHAINS_BYTES:
                kept.append(older)
        return Chains(chains=tuple(kept))


def issuers_digest(fingerprints: tuple[str, ...]) -> str:
    """Names the set of certificates above the leaf, whatever their order; fingerprints are leaf first."""
    return hashlib.sha256(" ".join(sorted(set(fingerprints[1:]))).encode("ascii")).hexdigest()[:32]


def served_chain(snapshot: Snapshot) -> StoredChain | None:
    """The chain whose bytes the snapshot carries, or None."""
    if not snapshot.chain_der or len(snapshot.chain_der) != len(snapshot.chain):
        return None
    return StoredChain(fingerprints=snapshot.chain_sha256, der=snapshot.chain_der)
