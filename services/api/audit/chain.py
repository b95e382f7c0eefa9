"""A workspace's chain of audit entries: each holds the hash of the one before. Pure.

hash = SHA-256 over the canonical JSON of the entry without `hash`, in hex; the first entry's `previous_hash` is zeros.
Whoever can rewrite the whole table can make a whole chain again, hence the comparison with the topic's copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.api.audit.canonical import canonical
from services.api.audit.change import Change
from services.api.audit.masking import masked, masked_text
from vigilo.events.codec import ce_time
from vigilo.events.records import AuditEntry


@dataclass(frozen=True, slots=True)
class Link:
    """Where a chain stands: the sequence and the hash of its last entry."""

    sequence: int
    hash: str


START: Final = Link(0, "0" * 64)


class Flaw(StrEnum):
    """What can be wrong with a chain."""

    ALTERED = "altered"  # an entry does not fit its own hash
    UNLINKED = "unlinked"  # an entry does not name the hash of the one before
    MISSING = "missing"  # an entry is not there
    WRONG_HEAD = "wrong-head"  # the last entry is not the one the head names
    DIFFERS = "differs-from-topic"  # table and topic tell different entries
    BAD_COPY = "bad-copy"  # the topic's copy is not sound itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw, and the sequence where it is."""

    sequence: int
    flaw: Flaw
    detail: str


def next_entry(
    last: Link, change: Change, *, workspace_id: UUID, actor: str, origin: str | None, at: datetime
) -> AuditEntry:
    """The entry that continues the chain; secrets are masked before it is hashed."""
    draft = AuditEntry(
        workspace_id=workspace_id,
        sequence=last.sequence + 1,
        at=at,
        actor=masked_text(actor),
        action=change.action,
        subject=masked_text(change.subject),
        origin=None if origin is None else masked_text(origin),
        before=None if change.before is None else masked(change.before),
        after=None if change.after is None else masked(change.after),
        previous_hash=last.hash,
        hash="",
    )
    return draft.model_copy(update={"hash": entry_hash(draft)})


def entry_hash(entry: AuditEntry) -> str:
    """The hash this entry must have, hex."""
    told = {
        "workspace_id": str(entry.workspace_id),
        "sequence": entry.sequence,
        "at": ce_time(entry.at.astimezone(UTC)),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "origin": entry.origin,
        "before": entry.before,
        "after": entry.after,
        "previous_hash": entry.previous_hash,
    }
    return hashlib.sha256(canonical(told)).hexdigest()


def link_of(entry: AuditEntry) -> Link:
    """The entry as a place in its chain."""
    return Link(entry.sequence, entry.hash)


def verify_chain(entries: Iterable[AuditEntry], head: Link | None) -> Iterator[Finding]:
    """Everything wrong with these entries, which are in order of their sequence, and with the head kept beside them."""
    last = START
    for entry in entries:
        yield from verify_entry(last, entry)
        last = link_of(entry)
    yield from verify_head(last, head)


def verify_entry(last: Link, entry: AuditEntry) -> Iterator[Finding]:
    """What is wrong with an entry that follows `last`."""
    if entry.sequence != last.sequence + 1:
        yield Finding(last.sequence + 1, Flaw.MISSING, _span(last.sequence + 1, entry.sequence - 1))
    elif entry.previous_hash != last.hash:
        yield Finding(entry.sequence, Flaw.UNLINKED, "it does not name the hash of the entry before it")
    if entry_hash(entry) != entry.hash:
        yield Finding(entry.sequence, Flaw.ALTERED, "its content does not fit its hash")


def verify_head(last: Link, head: Link | None) -> Iterator[Finding]:
    """What is wrong with a chain that ends in `last`."""
    known = head or START
    if known.sequence > last.sequence:
        yield Finding(last.sequence + 1, Flaw.MISSING, _span(last.sequence + 1, known.sequence))
    elif known != last:
        yield Finding(last.sequence, Flaw.WRONG_HEAD, f"the head names entry {known.sequence}, {known.hash[:16]}")


@dataclass
class Copies:
    """The topic's copy of one chain, as far as comparing needs it; filled by `take`."""

    hashes: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def take(self, copy: AuditEntry) -> None:
        """Notes one record; the same one twice is nothing, for the relay delivers at least once."""
        if entry_hash(copy) != copy.hash:
            self.findings.append(Finding(copy.sequence, Flaw.BAD_COPY, "the topic's copy does not fit its own hash"))
        known = self.hashes.setdefault(copy.sequence, copy.hash)
        if known != copy.hash:
            self.findings.append(Finding(copy.sequence, Flaw.BAD_COPY, "the topic tells two different entries"))


@dataclass(frozen=True, slots=True)
class Compared:
    """How a chain and its copy go together. `unpublished`: entries behind the last copy, still on their way."""

    findings: tuple[Finding, ...]
    compared: int
    unpublished: int


def compare(chain: Mapping[int, str], copies: Copies) -> Compared:
    """The chain's hashes by sequence against the topic's. What the topic has outlived (its first ones) is no flaw."""
    told = copies.hashes
    first, last = min(told, default=0), max(told, default=0)
    findings = list(copies.findings)
    for sequence in sorted(chain.keys() | told.keys()):
        ours, theirs = chain.get(sequence), told.get(sequence)
        if ours is None:
            findings.append(Finding(sequence, Flaw.MISSING, "the topic has it, the table has not"))
        elif theirs is None and first < sequence < last:
            findings.append(Finding(sequence, Flaw.DIFFERS, "the topic has no copy of it, but of later ones"))
        elif theirs is not None and theirs != ours:
            findings.append(Finding(sequence, Flaw.DIFFERS, f"the table has {ours[:16]}, the topic {theirs[:16]}"))
    unpublished = sum(1 for sequence in chain if sequence > last)
    return Compared(tuple(findings), len(chain.keys() & told.keys()), unpublished)


def _span(first: int, last: int) -> str:
    return f"entry {first} is not there" if first == last else f"entries {first} to {last} are not there"
