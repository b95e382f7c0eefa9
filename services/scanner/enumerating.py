"""Asks one address what it accepts: many short connections, few at a time, each under an absolute deadline.

What to ask is decided in vigilo.tls.posture; here is only who asks, how patiently, and when to leave a server alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.scanner.asking import PROBE_SECONDS, Asking, Endpoint, Ssl2Hearing
from services.scanner.reception import Reception
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture, Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.below_tls13 import (
    GroupsFound,
    VersionFound,
    enough_for_groups,
    enumerate_groups,
    enumerate_version,
    probe_fallback,
)
from vigilo.tls.posture.describe import Found, best_with_suites, describe_posture
from vigilo.tls.posture.hearing import Hearing
from vigilo.tls.posture.tls13 import Tls13Found, enumerate_tls13
from vigilo.tls.posture.transcript import Memory
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer, encode, encode_ssl2

__all__ = ["CONNECTIONS_MAX", "Endpoint", "Enumeration"]

AT_ONCE = 5  # connections in flight to one address
DIALOGUES_AT_ONCE = 2  # where each of them begins with a dialogue
CONNECTIONS_MAX = 300
_CLOSING_SECONDS = 2.0
_PAUSE_SECONDS = 0.1  # before a server that hung up is asked again
OTHERWISE = "the same offer was answered differently: several servers behind one address?"

T = TypeVar("T")


@dataclass(slots=True)
class Enumeration:
    """One enumeration of one address. `part_from` closes politely; `opened` is told of every connection tried.

    Each connection waits for one of `turns` (entered by several tasks at once). With a `memory` it is spread over
    several scans: what was answered before is not asked again, `connections_max` more questions are asked, and while
    `unfinished` is True after `run`, its posture is none. `contradicted`: the closing probe was not answered as before.
    `older` is what is known below TLS 1.3 as soon as it is, before the closing probe.
    """

    endpoint: Endpoint
    deadline: float
    part_from: Callable[[socket.socket], None]
    opened: Callable[[], None]
    probe_seconds: float = PROBE_SECONDS
    turns: AbstractAsyncContextManager[None] = field(default_factory=nullcontext)
    memory: Memory | None = None
    connections_max: int = CONNECTIONS_MAX
    unfinished: bool = False
    contradicted: bool = False
    older: asyncio.Future[Found] = field(init=False)
    _asking: Asking = field(init=False)
    _slots: asyncio.Semaphore = field(init=False)
    _reception: Reception = field(default_factory=Reception)
    _doubting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: str | None = None

    def __post_init__(self) -> None:
        self.older = asyncio.get_running_loop().create_future()
        self._asking = Asking(self.endpoint, self.part_from, self.opened, self.probe_seconds)
        directly = self.endpoint.protocol is Protocol.TLS
        self._slots = asyncio.Semaphore(AT_ONCE if directly else DIALOGUES_AT_ONCE)

    @property
    def connections(self) -> int:
        """Connections tried so far."""
        return self._asking.connections

    @property
    def turned_away(self) -> bool:
        """True when the server asked us to come another time."""
        return self._asking.turned_away is not None

    async def run(self, *, known_good: bool) -> Posture:
        """The posture, by the deadline at the latest. `known_good`: a handshake succeeded just before.

        Raises nothing for anything a peer can do.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        found = await self._find(known_good=known_good)
        duration_ms = round((loop.time() - begun) * 1000)
        address = str(self.endpoint.address)
        return describe_posture(found, address=address, connections=self.connections, duration_ms=duration_ms)

    async def _find(self, *, known_good: bool) -> Found:
        alpn = self.endpoint.alpn
        tls13_taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        # What takes the most rounds comes first: there are fewer slots than versions.
        tls13, (versions, groups, fallback) = await asyncio.gather(
            self._tls13(tls13_taken, alpn=alpn), self._below_tls13(tls13_taken, alpn=alpn)
        )
        throttled, notes = await self._control(known_good=known_good)
        if self._stopped is not None:
            notes = (*notes, f"stopped before all was asked: {self._stopped}")
        found = self._found(versions, tls13, groups)
        believable = found.believable and not throttled
        return replace(found, fallback_scsv=fallback, throttled=throttled, believable=believable, notes=notes)

    def _found(self, versions: tuple[VersionFound, ...], tls13: Tls13Found, groups: GroupsFound | None) -> Found:
        met = self._reception
        return Found(versions, tls13, groups, chosen=tuple(met.chosen), throttled=met.is_over, believable=met.says_no)

    async def _below_tls13(
        self, tls13_taken: Awaitable[bool], *, alpn: bool
    ) -> tuple[tuple[VersionFound, ...], GroupsFound | None, Support]:
        (tls12, groups), tls11, tls10, ssl3, ssl2 = await asyncio.gather(
            self._tls12(alpn=alpn),
            self._play(enumerate_version(code.TLS11, alpn=False)),
            self._play(enumerate_version(code.TLS10, alpn=False)),
            self._play(enumerate_version(code.SSL3, alpn=False)),
            self._ssl2(),
        )
        versions = (ssl2, ssl3, tls10, tls11, tls12)
        best = best_with_suites(versions)
        if best is not None and groups is None:
            groups = await self._play(enumerate_groups(best))
        self.older.set_result(self._found(versions, Tls13Found(VersionFound(code.TLS13, Support.UNKNOWN)), groups))
        accepted = [one for one in versions if one.support is Support.ACCEPTED]
        below = best_with_suites(accepted if await tls13_taken else accepted[:-1])
        fallback = Support.UNKNOWN if below is None else await self._play(probe_fallback(below))
        return versions, groups, fallback

    async def _tls13(self, taken: asyncio.Future[bool], *, alpn: bool) -> Tls13Found:
        """Says `taken` at the first choice: the fallback probe need not wait for all the groups."""

        def hear(answer: Answer) -> None:
            if not taken.done() and isinstance(answer, Chosen):
                taken.set_result(True)

        try:
            return await self._play(enumerate_tls13(alpn=alpn), hear)
        finally:
            if not taken.done():
                taken.set_result(False)

    async def _tls12(self, *, alpn: bool) -> tuple[VersionFound, GroupsFound | None]:
        """Suites and groups side by side: the groups need but one ECDHE suite, not all of them."""
        enough: asyncio.Future[VersionFound] = asyncio.get_running_loop().create_future()

        def hear(answer: Answer) -> None:
            if not enough.done() and (found := enough_for_groups(answer)) is not None:
                enough.set_result(found)

        async def suites() -> VersionFound:
            try:
                found = await self._play(enumerate_version(code.TLS12, alpn=alpn), hear)
                if not enough.done():
                    enough.set_result(found)
                return found
            finally:
                enough.cancel()

        async def groups() -> GroupsFound | None:
            return await self._play(enumerate_groups(await enough))

        return await asyncio.gather(suites(), groups())

    async def _play(self, strategy: Generator[Offer, Answer, T], hear: Callable[[Answer], None] | None = None) -> T:
        """What the strategy finds; `hear` is told each answer before the next offer."""
        try:
            offer = next(strategy)
            while True:
                answer = await self._ask(offer)
                if hear is not None:
                    hear(answer)
                offer = strategy.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _control(self, *, known_good: bool) -> tuple[bool, tuple[str, ...]]:
        """The first offer that was taken, once more: if it is not now, what was refused meanwhile means nothing."""
        met = self._reception
        if self.unfinished or met.has_left_us or not met.chosen:
            return met.has_left_us or self.turned_away or (known_good and not self.unfinished), ()
        first = met.chosen[0]
        again = await self._once(first.offer, closing=True)
        if self.unfinished:
            return self.turned_away, ()
        self.contradicted = not isinstance(again, Chosen) or again.suite != first.suite
        if not isinstance(again, Chosen):
            return True, ()
        return False, (OTHERWISE,) if self.contradicted else ()

    async def _ask(self, offer: Offer) -> Answer:
        """One offer's answer, from memory if it is there."""
        answer = (self.memory and self.memory.recall(offer)) or await self._ask_anew(offer)
        self._reception.note_answer(answer)
        return answer

    async def _ask_anew(self, offer: Offer) -> Answer:
        """A server that hangs up without a word is asked twice; twice is a refusal."""
        if self.memory is None or not self.memory.was_left(offer):
            answer = await self._once(offer)
            if not (isinstance(answer, Unclear) and answer.left):
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)
        answer = await self._once(offer)
        if isinstance(answer, Unclear) and answer.left:
            answer = Refused()
            self._note(offer, answer)
        return answer

    async def _once(self, offer: Offer, *, closing: bool = False) -> Answer:
        async with self._slots, self.turns:
            if not closing:
                await self._make_sure()
            if (reason := self._reason_to_stop(closing=closing)) is not None:
                return Unclear(reason)
            answer = await self._converse(offer, until=self.deadline if closing else self._asking_ends)
        if not closing:
            self._note(offer, answer)
        return answer

    async def _converse(self, offer: Offer, *, until: float) -> Answer:
        hearing = Hearing(offer)
        hello = encode(offer, sni=self.endpoint.sni, random=os.urandom(96))
        answer = await self._asking.converse(hello, hearing.feed, hearing.ended, deadline=until)
        self._reception.note_connection(answer)
        return answer

    async def _make_sure(self) -> None:
        """Tells a server that refuses by hanging up from one that has banned us, before it is asked on and on."""
        if not self._reception.is_doubtful or self.memory is not None:
            return
        async with self._doubting:
            if not self._reception.is_doubtful or self._reason_to_stop() is not None:
                return
            taken = self._reception.chosen[0].offer
            answer = await self._converse(taken, until=self._asking_ends)
            if isinstance(answer, Unclear) and answer.left:
                await asyncio.sleep(_PAUSE_SECONDS)
                answer = await self._converse(taken, until=self._asking_ends)
            if not self._time_is_up:
                self._reception.note_reassurance(answer)

    def _note(self, offer: Offer, answer: Answer) -> None:
        if self.memory is not None and not self.turned_away:
            self.memory.note(offer, answer)

    @property
    def _asking_ends(self) -> float:
        """The closing probe needs time of its own."""
        return self.deadline - min(self.probe_seconds, _CLOSING_SECONDS)

    def _reason_to_stop(self, *, closing: bool = False) -> str | None:
        """Why nothing more is asked; None = ask. The closing probe is due whatever came before."""
        reason = None if closing and self.memory is None else self._reason()
        if reason is not None:
            self._stopped = reason
            self.unfinished = self.memory is not None
        return reason

    def _reason(self) -> str | None:
        if self.connections >= self.connections_max:
            return "enough connections"
        if self._time_is_up:
            return "time was up"
        if self._asking.turned_away is not None:
            return self._asking.turned_away
        return "the server had stopped answering" if self._reception.is_over else None

    @property
    def _time_is_up(self) -> bool:
        return asyncio.get_running_loop().time() >= self._asking_ends

    async def _ssl2(self) -> VersionFound:
        support = None if self.memory is None else self.memory.recall_ssl2()
        if support is None:
            support = await self._ask_ssl2()
        return VersionFound(code.SSL2, support, complete=support is Support.REJECTED)

    async def _ask_ssl2(self) -> Support:
        async with self._slots, self.turns:
            if self._reason_to_stop() is not None:
                return Support.UNKNOWN
            hello, hearing = encode_ssl2(challenge=os.urandom(16)), Ssl2Hearing()
            support = await self._asking.converse(hello, hearing.feed, hearing.ended, deadline=self._asking_ends)
        if self.memory is not None and not self.turned_away:
            self.memory.note_ssl2(support)
        return support
