"""Asks one address whether its posture is still what it was: at most 14 connections, under an absolute deadline.

What to ask and what it means is decided in vigilo.tls.posture.check.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from services.scanner.asking import PROBE_SECONDS, Asking, Endpoint, Ssl2Hearing
from services.scanner.enumerating import AT_ONCE, DIALOGUES_AT_ONCE
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture, Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.check import Sameness, Verdict, check_posture
from vigilo.tls.posture.hearing import Hearing
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import SSL2_CIPHERS, Offer, encode, encode_ssl2
from vigilo.tls.wire.server_hello import ServerHello

POSTURE_SECONDS = 10.0


@dataclass(slots=True)
class Checking:
    """One check of one address. `part_from` closes politely, `opened` is told of every connection tried.

    Each connection waits for one of `turns` (entered by several tasks at once).
    """

    endpoint: Endpoint
    deadline: float
    part_from: Callable[[socket.socket], None]
    opened: Callable[[], None]
    probe_seconds: float = PROBE_SECONDS
    turns: AbstractAsyncContextManager[None] = field(default_factory=nullcontext)
    _asking: Asking = field(init=False)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._asking = Asking(self.endpoint, self.part_from, self.opened, self.probe_seconds)
        directly = self.endpoint.protocol is Protocol.TLS
        self._slots = asyncio.Semaphore(AT_ONCE if directly else DIALOGUES_AT_ONCE)

    @property
    def connections(self) -> int:
        """Connections tried so far."""
        return self._asking.connections

    async def run(self, before: Posture, *, seed: str) -> Verdict:
        """Whether `before` still holds, by the deadline at the latest; `seed` draws what is sampled.

        Raises nothing for anything a peer can do.
        """
        strategy = check_posture(before, seed=seed, alpn=self.endpoint.alpn)
        try:
            offers = next(strategy)
            while True:
                answers = await asyncio.gather(*(self._ask(offer) for offer in offers))
                if self._asking.turned_away is not None:
                    return Verdict(Sameness.THROTTLED, (self._asking.turned_away,))
                offers = strategy.send(answers)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    async def _ask(self, offer: Offer) -> Answer:
        try:
            # Turns may be long in coming.
            async with asyncio.timeout_at(self.deadline), self._slots, self.turns:
                return await self._ask_now(offer)
        except TimeoutError:
            return Unclear("time was up", silent=True)

    async def _ask_now(self, offer: Offer) -> Answer:
        if self._asking.turned_away is not None:
            return Unclear(self._asking.turned_away, silent=True)
        if offer.version == code.SSL2:
            return await self._ask_ssl2(offer)
        hearing = Hearing(offer)
        hello = encode(offer, sni=self.endpoint.sni, random=os.urandom(96))
        return await self._asking.converse(hello, hearing.feed, hearing.ended, deadline=self.deadline)

    async def _ask_ssl2(self, offer: Offer) -> Answer:
        hello, hearing = encode_ssl2(challenge=os.urandom(16)), Ssl2Hearing()
        support = await self._asking.converse(hello, hearing.feed, hearing.ended, deadline=self.deadline)
        if support is Support.ACCEPTED:
            return Chosen(offer, ServerHello(code.SSL2, SSL2_CIPHERS[0], 0, retry=False))
        return Refused() if support is Support.REJECTED else Unclear("no clear answer to SSL 2", silent=True)
