"""Asks one address about known holes, after its posture has been measured: a few connections, nothing taken away.

What to say and how to read the answer is decided in vigilo.tls.vulnerabilities; here is only who asks, and how long.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.scanner.sightings import Unsuccessful
from services.scanner.ticket import obtain_ticket
from vigilo.events.posture import Posture
from vigilo.tls.vulnerabilities import plan
from vigilo.tls.vulnerabilities.ccs import probe_ccs
from vigilo.tls.vulnerabilities.exchange import QUIET_SECONDS, Exchange, Say, Script, Unclear
from vigilo.tls.vulnerabilities.finding import Finding, Hole, unknown
from vigilo.tls.vulnerabilities.heartbleed import EXTENSION, NOT_OFFERED, probe_heartbleed
from vigilo.tls.vulnerabilities.robot import AGAIN, RANDOM_BYTES, VARIANTS, judge_again, judge_first, probe_robot
from vigilo.tls.vulnerabilities.ticketbleed import SESSION_ID_BYTES, Ticket, probe_ticketbleed
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer, encode

CONNECTIONS_MAX = 11
AT_ONCE = 5
PROBE_SECONDS = 5.0
_CHUNK = 16 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probes:
    """Which holes may be asked about. Each is asked only where the posture leaves it possible."""

    heartbleed: bool = True
    ccs: bool = True
    ticketbleed: bool = True
    robot: bool = True


@dataclass(slots=True)
class Examination:
    """One address's examination.

    `open` gives a new connection on which TLS may begin, however that comes about; what it raises (Unsuccessful,
    OSError, TimeoutError) leaves that question open. `part_from` closes politely. `deadline` is in the loop's time.
    Each connection waits for one of `turns` (entered by several tasks at once).
    """

    posture: Posture
    probes: Probes
    open: Callable[[], Awaitable[socket.socket]]
    part_from: Callable[[socket.socket], None]
    sni: str | None
    deadline: float
    at_once: int = AT_ONCE
    probe_seconds: float = PROBE_SECONDS
    quiet_seconds: float = QUIET_SECONDS
    turns: AbstractAsyncContextManager[None] = field(default_factory=nullcontext)
    connections: int = 0
    _found: Mapping[Hole, Finding] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.at_once)

    async def run(self) -> Posture:
        """The posture with what was found; at most CONNECTIONS_MAX connections, by the deadline at the latest.

        Raises nothing for anything a peer can do.
        """
        self._found = await self._find()
        return self.conclude(self.posture)

    def conclude(self, posture: Posture) -> Posture:
        """A posture measured meanwhile, with what was found; if the server had stopped answering, that is nothing."""
        found = self._nothing() if posture.throttled else self._found
        if not found:
            return posture
        listed = tuple(found[hole].about(hole) for hole in Hole if hole in found)
        connections = posture.connections + self.connections
        return posture.model_copy(update={"vulnerabilities": listed, "connections": connections})

    async def _find(self) -> Mapping[Hole, Finding]:
        if self.posture.throttled:
            return self._nothing()
        # First, for a difference takes ten of the connections; the others are asked with what is left of them.
        robot = await self._robot()
        older, tickets = await asyncio.gather(self._older(), self._ticketbleed())
        return {**robot, **older, **tickets}

    def _nothing(self) -> Mapping[Hole, Finding]:
        return dict.fromkeys(self._wanted(), unknown("had stopped answering"))

    def _wanted(self) -> list[Hole]:
        probes = self.probes
        asked = {
            Hole.HEARTBLEED: probes.heartbleed,
            Hole.CCS: probes.ccs,
            Hole.TICKETBLEED: probes.ticketbleed,
            Hole.ROBOT: probes.robot,
        }
        return [hole for hole, wanted in asked.items() if wanted]

    async def _older(self) -> dict[Hole, Finding]:
        """CCS injection and Heartbleed: one ServerHello often answers for both."""
        offer = plan.offer_below_tls13(self.posture)
        wanted = [hole for hole in self._wanted() if hole in {Hole.CCS, Hole.HEARTBLEED}]
        if isinstance(offer, Finding):
            return dict.fromkeys(wanted, offer)
        findings: dict[Hole, Finding] = {}
        hello = self._hello(offer, extras=EXTENSION)
        heartbeats = True
        if Hole.CCS in wanted:
            try:
                seen = await self._play(probe_ccs(hello, offer))
                findings[Hole.CCS], heartbeats = seen.finding, seen.heartbeat
            except Unclear as reason:
                findings[Hole.CCS] = unknown(str(reason))
        if Hole.HEARTBLEED in wanted:
            script = probe_heartbleed(hello, offer)
            findings[Hole.HEARTBLEED] = await self._finding(script) if heartbeats else NOT_OFFERED
        return findings

    async def _ticketbleed(self) -> dict[Hole, Finding]:
        if not self.probes.ticketbleed:
            return {}
        offer = plan.offer_below_tls13(self.posture)
        if isinstance(offer, Finding):
            return {Hole.TICKETBLEED: offer}
        settled = plan.tickets(self.posture)
        if settled is not None:
            return {Hole.TICKETBLEED: settled}
        return {Hole.TICKETBLEED: await self._with_ticket(offer)}

    async def _with_ticket(self, offer: Offer) -> Finding:
        def obtain(connection: socket.socket, until: float) -> Awaitable[Ticket]:
            return obtain_ticket(connection, version=offer.version, sni=self.sni, deadline=until)

        try:
            ticket = await self._connected(obtain)
        except Unclear as reason:
            return unknown(str(reason))
        session_id = os.urandom(SESSION_ID_BYTES)
        again = replace(offer, suites=tuple(dict.fromkeys((ticket.suite, *offer.suites))))
        hello = self._hello(again, session_id=session_id, extras={code.SESSION_TICKET: ticket.ticket})
        return await self._finding(probe_ticketbleed(hello, session_id))

    async def _robot(self) -> dict[Hole, Finding]:
        if not self.probes.robot:
            return {}
        offer = plan.static_rsa_offer(self.posture)
        if isinstance(offer, Finding):
            return {Hole.ROBOT: offer}
        try:
            return {Hole.ROBOT: await self._oracle(offer)}
        except Unclear as reason:
            return {Hole.ROBOT: unknown(str(reason))}

    async def _oracle(self, offer: Offer) -> Finding:
        first = await self._variants(offer, range(VARIANTS))
        settled = judge_first(tuple(first.values()))
        if settled is not None:
            return settled
        return judge_again(tuple(first.values()), await self._variants(offer, AGAIN))

    async def _variants(self, offer: Offer, variants: Sequence[int]) -> dict[int, str]:
        """Each variant's answer, one after the other: what differs must not differ by the order of arrival."""
        answers = {}
        for variant in variants:
            random = os.urandom(RANDOM_BYTES)
            script = probe_robot(self._hello(offer), offer, variant=variant, random=random)
            answers[variant] = await self._play(script)
        return answers

    def _hello(self, offer: Offer, *, session_id: bytes = b"", extras: Mapping[int, bytes] | None = None) -> bytes:
        return encode(offer, sni=self.sni, random=os.urandom(96), session_id=session_id, extras=extras or {})

    async def _finding(self, script: Script[Finding]) -> Finding:
        try:
            return await self._play(script)
        except Unclear as reason:
            return unknown(str(reason))

    async def _play(self, script: Script[T]) -> T:
        """The script's result on a connection of its own. Raises Unclear."""
        exchange = Exchange(script)
        await self._connected(lambda connection, until: _carry(exchange, connection, until, self.quiet_seconds))
        if exchange.result is None:
            raise Unclear("did not answer in time")
        return exchange.result

    async def _connected(self, use: Callable[[socket.socket, float], Awaitable[T]]) -> T:
        """Opens, uses, leaves. Raises Unclear for everything that can go wrong with a network."""
        async with self._slots, self.turns:
            loop = asyncio.get_running_loop()
            until = min(self.deadline, loop.time() + self.probe_seconds)
            if self.connections >= CONNECTIONS_MAX:
                raise Unclear("was not asked: enough connections")
            if loop.time() >= self.deadline:
                raise Unclear("was not asked: time was up")
            self.connections += 1
            try:
                async with asyncio.timeout_at(until):
                    connection = await self.open()
                try:
                    return await use(connection, until)
                finally:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)
                    self.part_from(connection)
            except TimeoutError as error:
                raise Unclear("did not answer in time") from error
            except Unsuccessful as failure:
                raise Unclear(f"could not be asked: {failure.detail}") from failure
            except OSError as error:
                raise Unclear(f"could not be asked: {error.strerror or type(error).__name__}") from error


async def _carry(exchange: Exchange[T], connection: socket.socket, until: float, quiet_seconds: float) -> None:
    """Carries bytes between a script and a socket until the script has ended."""
    loop = asyncio.get_running_loop()
    step = exchange.begin()
    while step is not None:
        try:
            async with asyncio.timeout_at(until):
                await _say(step, connection)
            quiet_at = loop.time() + quiet_seconds
            hurry = step.hurry and quiet_at < until
            async with asyncio.timeout_at(quiet_at if hurry else until):
                data = await loop.sock_recv(connection, _CHUNK)
        except TimeoutError:
            step = exchange.quiet() if loop.time() < until else exchange.ended("did not answer in time")
        except OSError as error:
            step = exchange.ended(f"cut the connection ({error.strerror or type(error).__name__})")
        else:
            step = exchange.receive(data) if data else exchange.ended("closed the connection", left=True)


async def _say(step: Say, connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # why it left may be waiting for us: the next read tells
        if step.data:
            await asyncio.get_running_loop().sock_sendall(connection, step.data)
        if step.last:
            connection.shutdown(socket.SHUT_WR)
