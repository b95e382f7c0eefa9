"""Runs: consecutive report cards of one host that tell rules the same. What a preview reads in place of every card.

A function of the host's cards in the order of their partition. Late cards, repeated ones and looks at whom the host
used to be count no more here than they do for the alerter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from vigilo.alerting.knowledge import Course, Knowledge, learn, learn_course
from vigilo.events.cards import ReportCard
from vigilo.events.hosts import Target

# Confirmation counts go up to ten: after so many equal answers an alert has come to rest.
EARLY = 10

Peer = tuple[str | int | None, ...]


class CardRun(BaseModel):
    """`cards` report cards from `first_at` to `last_at`, all of one peer, after each of which `known` was known.

    `early`: when the first ten were asked for. `longest_gap`: the longest pause between two of them. `course` is as the
    first card left it; every further one set its fields `moved` to its own instant. `host_version` is the greatest that
    any card of this host named until now.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host_id: UUID
    workspace_id: UUID
    first_at: datetime
    first_scan_id: UUID
    last_at: datetime
    last_scan_id: UUID
    cards: int
    longest_gap: timedelta = timedelta(0)
    early: tuple[datetime, ...]
    host_version: int
    peer: Peer
    known: Knowledge
    course: Course
    moved: tuple[str, ...] = ()

    def course_at(self, card: datetime, *, watched_since: datetime | None = None) -> Course:
        """The course after the card of this instant; cards do not tell since when a host is watched."""
        changed = dict.fromkeys(self.moved if card > self.first_at else (), card)
        if watched_since is not None:
            changed["watched_since"] = watched_since
        return self.course.model_copy(update=changed) if changed else self.course


def extended(head: CardRun | None, card: ReportCard) -> CardRun | None:
    """The host's newest run after this card: the same one longer, or a new one; None if the card counts for nothing."""
    if card.late or (head is not None and card.order <= (head.last_at, head.last_scan_id)):
        return None
    peer = peer_of(card.target)
    if head is None:
        return _begun(card, peer, learn(None, card), learn_course(Course(), card))
    if head.peer != peer:
        if card.target.host_version < head.host_version:
            return None
        # When the host was last looked at still counts; what the other peer stapled does not.
        before = Course(performed_at=head.course_at(head.last_at).performed_at)
        return _begun(card, peer, learn(None, card), learn_course(before, card))
    known = learn(head.known, card)
    before = head.course_at(head.last_at)
    after = learn_course(before, card)
    version = max(head.host_version, card.target.host_version)
    moved = _moved(before, after)
    gap = card.requested_at - head.last_at
    if known == head.known and _goes_on(head, moved, after, card.requested_at, gap):
        return _longer(head, card, gap, moved, version)
    return _begun(card, peer, known, after, version)


def _begun(card: ReportCard, peer: Peer, known: Knowledge, course: Course, version: int = 0) -> CardRun:
    return CardRun(
        host_id=card.host_id,
        workspace_id=card.target.workspace_id,
        first_at=card.requested_at,
        first_scan_id=card.scan_id,
        last_at=card.requested_at,
        last_scan_id=card.scan_id,
        cards=1,
        early=(card.requested_at,),
        host_version=version or card.target.host_version,
        peer=peer,
        known=known,
        course=course,
    )


def _longer(head: CardRun, card: ReportCard, gap: timedelta, moved: tuple[str, ...], version: int) -> CardRun:
    return head.model_copy(
        update={
            "last_at": card.requested_at,
            "last_scan_id": card.scan_id,
            "cards": head.cards + 1,
            "longest_gap": max(head.longest_gap, gap),
            "early": head.early if len(head.early) == EARLY else (*head.early, card.requested_at),
            "host_version": version,
            "moved": moved,
        }
    )


def _goes_on(head: CardRun, moved: tuple[str, ...], after: Course, at: datetime, gap: timedelta) -> bool:
    """True if the course goes on as it did. The second card of a run says how that is.

    A pause half as long again as any before ends the run, so that `longest_gap` says how evenly its cards came.
    """
    if head.cards == 1:
        return all(getattr(after, name) == at for name in moved)
    return moved == head.moved and gap * 2 <= head.longest_gap * 3


def _moved(before: Course, after: Course) -> tuple[str, ...]:
    return tuple(name for name in Course.model_fields if getattr(before, name) != getattr(after, name))


def peer_of(target: Target) -> Peer:
    """Whom scans of this target meet, in the form runs keep it."""
    return tuple(part if isinstance(part, int | None) else str(part) for part in target.peer)


def cards_of(run: CardRun, blocks: Sequence[Sequence[datetime]]) -> Iterator[tuple[datetime, bool]]:
    """The known cards of a run in order, each with whether it follows the one before without another between them."""
    yield from ((card, True) for card in run.early)
    if run.cards == len(run.early):
        return
    inside = (tuple(card for card in block if run.first_at <= card <= run.last_at) for block in blocks)
    pieces = sorted(block for block in (*inside, (run.last_at,)) if block)
    complete = len({*run.early, *(card for piece in pieces for card in piece)}) == run.cards
    covered = run.early[-1]
    for piece in pieces:
        for number, card in enumerate(piece):
            if card > covered:
                yield card, complete or number > 0
                covered = card
