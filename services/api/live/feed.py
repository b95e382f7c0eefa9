"""Who follows which workspace in this process, and what was told lately, so that a follower may come back.

Positions mean the same in every process, for all hear the same notifications in the same order; what a process
remembers begins when it began to listen. A follower who cannot be given everything, because he was away too long, reads
too slowly or the listening was interrupted, gets one `resync` in its place. Not for two threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID, uuid4

import orjson

from services.api.live.notices import Change, Notice

REMEMBERED: Final = 1_000
QUEUED: Final = 1_000
STREAMS_PER_CALLER: Final = 10
STREAMS: Final = 1_000
AT_ONCE: Final = 100
# A page that is told to look at everything again must not be told so without pause.
RESYNC_SECONDS: Final = 5.0

Clock = Callable[[], float]


class TooManyStreams(Exception):
    """The caller, or everybody together, has as many streams as there may be. `by_caller` tells which."""

    def __init__(self, *, by_caller: bool) -> None:
        super().__init__("too many streams of " + ("this caller" if by_caller else "this process"))
        self.by_caller = by_caller


class FeedEnded(Exception):
    """This process is about to end."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream; `data` is JSON."""

    position: str
    kind: str
    data: str


class Memory:
    """What a workspace was told lately. `floor` is the position before the first that is remembered."""

    def __init__(self, floor: str, *, most: int = REMEMBERED) -> None:
        self._floor = floor
        self._most = most
        self._told: deque[Told] = deque()

    @property
    def latest(self) -> str:
        """The position of the last event."""
        return self._told[-1].position if self._told else self._floor

    def add(self, told: Told) -> None:
        """Remembers it, and forgets the oldest when there are too many."""
        self._told.append(told)
        if len(self._told) > self._most:
            self._floor = self._told.popleft().position

    def since(self, position: str) -> Sequence[Told] | None:
        """What was told after that position; None if that is not known (any more)."""
        if position == self._floor:
            return list(self._told)
        for index, told in enumerate(self._told):
            if told.position == position:
                return list(self._told)[index + 1 :]
        return None


class Subscription:
    """One follower's events, at most `most` of them waiting. Use as a context manager; `ended` is set by the feed."""

    def __init__(self, first: Sequence[Told], latest: str, *, most: int, clock: Clock) -> None:
        self.ended = asyncio.Event()
        self._waiting = deque(first)
        self._latest = latest
        self._most = most
        self._clock = clock
        self._gap = False
        self._resync_next = clock()
        self._woken = asyncio.Event()

    def offer(self, told: Told) -> None:
        """One more event; when too many wait, a resync takes the place of all."""
        self._latest = told.position
        if self._gap:
            return  # whoever looks at everything after the resync sees this as well
        self._waiting.append(told)
        if len(self._waiting) > self._most:
            self.resync(told.position)
        self._woken.set()

    def resync(self, position: str) -> None:
        """The follower shall look at everything again."""
        self._waiting.clear()
        self._latest = position
        self._gap = True
        self._woken.set()

    async def take(self, seconds: float) -> Sequence[Told]:
        """What may be sent now, waiting for it that long; empty when there was nothing."""
        deadline = self._clock() + seconds
        while not (found := self._take_now()):
            until = min(deadline, self._resync_next) if self._gap else deadline
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, until - self._clock())):
                    await self._woken.wait()
            if self._clock() >= deadline:
                return self._take_now()
        return found

    def _take_now(self) -> Sequence[Told]:
        if self._gap:
            if self._clock() < self._resync_next:
                return ()
            self._gap = False
            self._resync_next = self._clock() + RESYNC_SECONDS
            return (_told(self._latest, {"kind": "resync"}),)
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]


class Feed:
    """All followers of this process."""

    def __init__(self, *, queued: int = QUEUED, remembered: int = REMEMBERED, clock: Clock = monotonic) -> None:
        self._queued = queued
        self._remembered = remembered
        self._clock = clock
        self._began = uuid4().hex
        self._memories: dict[UUID, Memory] = {}
        self._followers: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._streams: Counter[str] = Counter()
        self._ended = False

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._streams.total()

    def hear(self, notice: Notice) -> None:
        """Tells the followers of the workspace."""
        if notice.workspace_id is None:
            self.interrupted()
        elif notice.changes is None:
            self._memories[notice.workspace_id] = Memory(notice.position, most=self._remembered)
            for one in self._followers.get(notice.workspace_id, ()):
                one.resync(notice.position)
        else:
            memory = self._memory(notice.workspace_id)
            for number, changed in enumerate(notice.changes):
                told = _told(f"{notice.position}.{number}", changed)
                memory.add(told)
                for one in self._followers.get(notice.workspace_id, ()):
                    one.offer(told)

    def interrupted(self) -> None:
        """Something may have gone unheard: nothing is remembered, and everybody looks at everything again."""
        self._began = uuid4().hex
        self._memories.clear()
        for followers in self._followers.values():
            for one in followers:
                one.resync(self._began)

    def subscribe(self, workspace_id: UUID, caller: str, *, after: str | None) -> Subscription:
        """A follower from `after` on (a position it was given), or from now. Give it back by `leave`.

        Raises TooManyStreams, FeedEnded.
        """
        if self._ended:
            raise FeedEnded
        if self._streams[caller] >= STREAMS_PER_CALLER or self.streams >= STREAMS:
            raise TooManyStreams(by_caller=self._streams[caller] >= STREAMS_PER_CALLER)
        memory = self._memory(workspace_id)
        missed = memory.since(after) if after is not None else ()
        # The follower knows at once from where to come back, even if nothing happens until then.
        first = missed or (_told(memory.latest, {"kind": "ready"}),)
        subscription = Subscription(first, memory.latest, most=self._queued, clock=self._clock)
        if missed is None:
            subscription.resync(memory.latest)
        self._followers[workspace_id].add(subscription)
        self._streams[caller] += 1
        return subscription

    def leave(self, workspace_id: UUID, caller: str, subscription: Subscription) -> None:
        """That follower is gone."""
        self._followers[workspace_id].discard(subscription)
        if not self._followers[workspace_id]:
            del self._followers[workspace_id]
        self._streams[caller] -= 1
        if not self._streams[caller]:
            del self._streams[caller]

    def end(self) -> None:
        """Every stream ends now, and none begins."""
        self._ended = True
        for followers in self._followers.values():
            for one in followers:
                one.ended.set()

    def _memory(self, workspace_id: UUID) -> Memory:
        return self._memories.setdefault(workspace_id, Memory(self._began, most=self._remembered))


def _told(position: str, change: Change) -> Told:
    return Told(position, change["kind"], orjson.dumps(change).decode())
