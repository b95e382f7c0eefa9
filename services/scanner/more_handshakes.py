"""What only full scans ask: the chain without a server name, and whether sessions can be resumed.

At most four handshakes, one after the other, each finished politely. Not with mail servers: their watchdogs count
whoever comes and goes without a word.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache

from OpenSSL import SSL

from services.scanner.approach import Approach, Variation
from services.scanner.conversation import Conversation, ConversationOver
from services.scanner.handshake import make_context
from services.scanner.own_reader import Reach, ask
from services.scanner.probing import speaker
from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen, Unsuccessful
from services.scanner.tls_failed import TlsFailed
from vigilo.events.handshakes import ReadBy, ResumptionFacts, WithoutSni
from vigilo.events.hosts import Probing, Protocol
from vigilo.events.posture import Support
from vigilo.events.scans import Depth, Outcome, ScanRequested
from vigilo.tls.starttls.mail import mail_service
from vigilo.tls.unnamed import describe_refusal, describe_unnamed
from vigilo.tls.wire.server_flight import ServerFlight

MORE_SECONDS = 8.0  # for all of them
_TICKET_SECONDS = 0.3  # a ticket follows the handshake at once, or never
_TLS13 = "TLSv1.3"

Turn = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class MoreSeen:
    """What the further handshakes showed; None where it was no question, or could not be asked."""

    without_sni: WithoutSni | None = None
    resumption: ResumptionFacts | None = None


def to_ask(request: ScanRequested, seen: HostSeen) -> AddressSeen | None:
    """The address that is asked for more, the one that speaks for the host; None where it is no question."""
    if request.depth is not Depth.FULL or request.target.probing is not Probing.FULL or not seen.addresses:
        return None
    first = speaker(seen.addresses)
    if first.outcome is not Outcome.OK or first.handshake is None or first.protocol is None:
        return None
    demand = first.handshake.client_certificate
    closed = demand is not None and demand.required is True
    return None if closed or mail_service(request.target.port, first.protocol) is not None else first


@dataclass(frozen=True, slots=True)
class MoreHandshakes:
    """Asks one address that has just finished a handshake (`seen`) by `approach`; `turn` waits for a free place there.

    `round_trip` is in seconds, as far as it is known.
    """

    approach: Approach
    seen: HandshakeSeen
    turn: Turn
    round_trip: float = 0.0

    async def look(self) -> MoreSeen:
        """All of it. Raises nothing for anything a peer can do."""
        if self.seen.read_by is ReadBy.OWN:
            return MoreSeen(without_sni=await self._without_sni_by_ourselves())
        without_sni, source = None, None
        if self.approach.name is not None:
            without_sni, source = await self._without_sni()
        try:
            source = source or await self._source(self.approach.name)
            return MoreSeen(without_sni, await self._resumption(source))
        except (Unsuccessful, ConversationOver, TimeoutError):
            return MoreSeen(without_sni)

    async def _without_sni(self) -> tuple[WithoutSni, _Source | None]:
        try:
            source = await self._source(None)
        except TlsFailed as failure:
            return describe_refusal(failure.outcome, failure.detail, failure.alert), None
        except Unsuccessful as failure:
            return describe_refusal(failure.outcome, failure.detail, None), None
        return self._unnamed(source.seen), source

    async def _without_sni_by_ourselves(self) -> WithoutSni | None:
        if self.approach.name is None or self.seen.protocol is not Protocol.TLS:
            return None
        approach = self.approach
        reach = Reach(approach.connect, lambda left: approach.part(left, None, None), None, approach.deadline)
        async with self.turn():
            seen = await ask(reach, offers_max=1)
        if seen is None:
            return describe_refusal(Outcome.TLS_FAILURE, "no answer to a hello of our own without a name", None)
        return self._unnamed(seen)

    def _unnamed(self, seen: HandshakeSeen) -> WithoutSni:
        return describe_unnamed(seen.version, seen.chain, named_leaf=self.seen.chain[0] if self.seen.chain else None)

    async def _source(self, name: str | None) -> _Source:
        """One full handshake and what came with it: whatever a later one may go on with."""
        async with self._conversation(Variation(self.approach.context, name)) as conversation:
            await self._hear_tickets(conversation)
            return _Source(name, conversation.seen, conversation.session(), conversation.transcript.flight())

    async def _resumption(self, source: _Source) -> ResumptionFacts:
        facts = _of_tickets(source.flight)
        if source.seen.version == _TLS13:
            issued = bool(source.flight.tickets)
            resumed = await self._resumes(source) if issued else Support.REJECTED
            return _with(await self._before_tls13(facts), tls13=resumed, tls13_ticket_issued=issued)
        if not source.flight.tickets:
            # What such a session goes on with can only be its id.
            return _with(facts, session_id=await self._resumes(source), ticket=Support.REJECTED)
        facts = _with(facts, ticket=await self._resumes(source), ticket_issued=True)
        return _with(await self._before_tls13(facts), ticket_issued=True, ticket=facts.ticket)

    async def _before_tls13(self, facts: ResumptionFacts) -> ResumptionFacts:
        """TLS 1.2 and older: a session without a ticket, gone on with by its id; then the server may give a ticket."""
        first = Variation(_old_context(), self.approach.name, tickets=False)
        try:
            async with self._conversation(first) as conversation:
                second = replace(first, session=conversation.session(), tickets=True)
            async with self._conversation(second) as conversation:
                flight = conversation.transcript.flight()
        except (Unsuccessful, ConversationOver, TimeoutError):
            return facts
        by_id = _support(flight)
        if flight.tickets:
            return _with(facts, session_id=by_id, ticket_issued=True)
        # A server need not renew a ticket when it goes on with a session; in a full handshake it would have given one.
        known = by_id is Support.REJECTED
        return _with(
            facts,
            session_id=by_id,
            ticket_issued=False if known else None,
            ticket=Support.REJECTED if known else Support.UNKNOWN,
        )

    async def _resumes(self, source: _Source) -> Support:
        if source.session is None:
            return Support.REJECTED
        try:
            again = Variation(self.approach.context, source.name, source.session)
            async with self._conversation(again) as conversation:
                return _support(conversation.transcript.flight())
        except (Unsuccessful, ConversationOver, TimeoutError):
            return Support.UNKNOWN

    @asynccontextmanager
    async def _conversation(self, variation: Variation) -> AsyncIterator[Conversation]:
        async with self.turn():
            conversation, leave = await self.approach.converse(self.seen.protocol, variation)
            try:
                yield conversation
            finally:
                leave()

    async def _hear_tickets(self, conversation: Conversation) -> None:
        if conversation.seen.version != _TLS13:
            return
        loop = asyncio.get_running_loop()
        until = min(self.approach.deadline, loop.time() + max(_TICKET_SECONDS, 2 * self.round_trip))
        with contextlib.suppress(ConversationOver, TimeoutError):
            while not conversation.transcript.flight().tickets:
                await conversation.listen(deadline=until)


@dataclass(frozen=True, slots=True)
class _Source:
    """A full handshake that is over: by which name, what it showed, and what a later one may offer."""

    name: str | None
    seen: HandshakeSeen
    session: SSL.Session | None
    flight: ServerFlight


@cache
def _old_context() -> SSL.Context:
    return make_context(newest=SSL.TLS1_2_VERSION)


def _with(facts: ResumptionFacts, **more: object) -> ResumptionFacts:
    """The same facts with some said otherwise."""
    return facts.model_copy(update=more)


def _support(flight: ServerFlight) -> Support:
    return {True: Support.ACCEPTED, False: Support.REJECTED, None: Support.UNKNOWN}[flight.resumed]


def _of_tickets(flight: ServerFlight) -> ResumptionFacts:
    tickets = flight.tickets
    return ResumptionFacts(
        ticket_lifetime_seconds=tickets[0].lifetime_seconds if tickets else None,
        max_early_data=max((ticket.max_early_data for ticket in tickets), default=None),
    )
