"""When people are told that a scanner pool seems to have lost its own network, and that it has it again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from services.api.audit.change import Change
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind
from vigilo.events.ids import NAMESPACE

# A suspicion is fresh for so long; scans of a pool come every few seconds, or it has few hosts.
FRESH: Final = timedelta(minutes=5)
# Not told more often, however often the network comes and goes.
NOT_WITHIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PoolSeen:
    """The newest scans of a pool's active hosts, in one workspace: when they ended, by what they said of the pool.

    `suspect`: hosts whose newest scan says so; `hosts`: all that were ever scanned.
    """

    pool: str
    hosts: int
    suspect: int
    last_suspect: datetime | None
    last_well: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a pool last. `suspect_since` None: that it is well."""

    suspect_since: datetime | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told now. `began`: the suspicion it is about; `after`: what will have been told then."""

    pool: str
    began: datetime
    lost: bool
    title: str
    text: str
    after: Told


def decide(seen: PoolSeen, told: Told | None, *, at: datetime) -> Notice | None:
    """The notice that is due, if any."""
    fresh = seen.last_suspect is not None and seen.last_suspect > at - FRESH
    if told is None or told.suspect_since is None:
        recently = told is not None and at - told.told_at < NOT_WITHIN
        return _lost(seen, at) if fresh and not recently else None
    over = seen.last_well is not None and (seen.last_suspect is None or seen.last_well > seen.last_suspect)
    return _well(seen, told.suspect_since, told, at) if over and not fresh else None


def _lost(seen: PoolSeen, at: datetime) -> Notice:
    text = (
        f"Since about {at:%Y-%m-%d %H:%M} UTC scans of the pool {seen.pool} fail without an answer from anybody, "
        f"{seen.suspect} of {seen.hosts} hosts so far: its scanners seem to have lost their own network. "
        "Its hosts are not reported as unreachable meanwhile; their alerts stay as they are. "
        "Look after the scanners of this pool."
    )
    title = f"Pool {seen.pool}: the scanners' own network seems lost"
    return Notice(seen.pool, at, True, title, text, Told(at, at))


def _well(seen: PoolSeen, began: datetime, told: Told, at: datetime) -> Notice:
    text = (
        f"Scans of the pool {seen.pool} get answers again; what was seen from {began:%Y-%m-%d %H:%M} UTC on is judged "
        "by new scans."
    )
    title = f"Pool {seen.pool}: the scanners' network is back"
    return Notice(seen.pool, began, False, title, text, Told(None, told.told_at))


def commands(
    notice: Notice, channels: Iterable[UUID], *, workspace_id: UUID, by: str, at: datetime
) -> list[DeliveryCommand]:
    """One command per channel; made again for the same notice, they carry the same ids."""
    return [
        DeliveryCommand(
            command_id=_command_id(notice, workspace_id, channel_id),
            workspace_id=workspace_id,
            channel_id=channel_id,
            kind=DeliveryCommandKind.NOTICE,
            title=notice.title,
            text=notice.text,
            by=by,
            at=at,
        )
        for channel_id in channels
    ]


def told_of(notice: Notice, seen: PoolSeen) -> Change:
    """What the audit log says."""
    after = {"title": notice.title, "since": notice.began.isoformat(), "hosts": seen.hosts, "suspect": seen.suspect}
    return Change("pool.suspect" if notice.lost else "pool.well", f"pool:{notice.pool}", None, after)


def _command_id(notice: Notice, workspace_id: UUID, channel_id: UUID) -> UUID:
    kind = "lost" if notice.lost else "well"
    parts = ("pool-notice", workspace_id, notice.pool, notice.began.isoformat(), kind, channel_id)
    return uuid5(NAMESPACE, "/".join(str(part) for part in parts))
