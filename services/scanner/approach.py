"""How TLS is reached at one address: at once or after a dialogue, whatever the peer turns out to speak."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from OpenSSL import SSL

from services.scanner import probing
from services.scanner.conversation import Conversation
from services.scanner.dialogue import Carrier, DialogueFailed, party_at
from services.scanner.handshake import shake_hands
from services.scanner.own_reader import OFFERS_MAX, Reach, ask
from services.scanner.sightings import HandshakeSeen, Unsuccessful
from services.scanner.tls_failed import TlsFailed
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome
from vigilo.tls.starttls import protocols
from vigilo.tls.starttls.dialogue import Party
from vigilo.tls.starttls.mail import mail_service

# A peer that keeps silent where a greeting is due may be waiting for TLS. Slow mail servers are silent, too, and log
# whoever speaks first: so not at once, and as late as can be where this protocol was spoken before.
_SILENCE_SECONDS = 2.0
_LEFT_FOR_TLS_SECONDS = 1.0
_SECOND_WAY_SECONDS = 4.0
_NO_APPLICATION_PROTOCOL = 120
# Between mail servers nobody speaks TLS first, and whoever speaks before the greeting is taken for a spammer.
_NEVER_TLS_FIRST = frozenset({25})

Part = Callable[[socket.socket, Conversation | None, protocols.Farewell | None], None]


@dataclass(frozen=True, slots=True)
class Variation:
    """How one more handshake is to differ: its name, a session (of the same context) to go on with, no tickets."""

    context: SSL.Context
    name: str | None
    session: SSL.Session | None = None
    tickets: bool = True


@dataclass(frozen=True, slots=True)
class Approach:
    """What one target asks for, and how to connect to and to part from one of its addresses.

    `name` is asked for by SNI (None for IP literals), `peer_name` by XMPP; `known` is the protocol of the last
    success; `own_name` None says our address in EHLO. `deadline` is in the running loop's time; a greeting may take
    `greeting_seconds` more.
    """

    asked: Protocol
    known: Protocol | None
    port: int
    name: str | None
    peer_name: str
    own_name: str | None
    context: SSL.Context
    deadline: float
    connect: Callable[[], Awaitable[socket.socket]]
    part: Part
    greeting_seconds: float = 0.0

    async def shake_hands(self, connection: socket.socket) -> HandshakeSeen:
        """One finished handshake by the first way that leads to one; at most one other way is tried.

        The connection is parted from, whatever comes of it. Raises Unsuccessful of the way that told most.
        """
        first = protocols.first_choice(self.asked, self.port, self.known)
        try:
            return await self._by(first, connection)
        except Unsuccessful as failure:
            heard, guessed = self._heard(first, failure), self._guess(first, failure)
            if self.asked is not Protocol.AUTO or (heard or guessed) in {None, first}:
                raise
            first_failure = failure
        try:
            return await self._later()._by(heard or guessed or first, await self.connect())
        except Unsuccessful as failure:
            raise (failure if heard else first_failure) from failure

    def _heard(self, first: Protocol, failure: Unsuccessful) -> Protocol | None:
        """What the peer's first bytes say is spoken here."""
        if isinstance(failure, TlsFailed) and first is Protocol.TLS:
            return protocols.recognise(failure.banner, self.port)
        if not isinstance(failure, DialogueFailed):
            return None
        if failure.spoke_tls:
            return Protocol.TLS
        return protocols.recognise(failure.first, self.port) if failure.outcome is Outcome.NOT_TLS else None

    def _guess(self, first: Protocol, failure: Unsuccessful) -> Protocol | None:
        """What may be worth a try where the peer said nothing; a server of TLS never leaves before it is spoken to."""
        if isinstance(failure, DialogueFailed) and not failure.first:
            if self.port in _NEVER_TLS_FIRST:
                return None
            spoken_to = first not in protocols.GREETING
            return Protocol.TLS if spoken_to or failure.outcome is Outcome.TLS_TIMEOUT else None
        # TLS came first here the last time; the port is for something else, and may have gone back to it.
        return protocols.PORTS.get(self.port) if first is Protocol.TLS and first is self.known else None

    def _later(self) -> Approach:
        """For the second way: the time that the greeting took, or was waited for in vain, is not its own."""
        if not self.greeting_seconds:
            return self
        return replace(self, deadline=asyncio.get_running_loop().time() + _SECOND_WAY_SECONDS)

    async def _by(self, protocol: Protocol, connection: socket.socket) -> HandshakeSeen:
        try:
            if protocol is Protocol.TLS:
                return await self._directly(connection)
            return await self._after_dialogue(protocol, connection)
        except TlsFailed as failure:
            seen = await self._by_ourselves(protocol) if failure.may_be_ours else None
            if seen is None:
                raise
            return replace(seen, protocol=protocol)

    async def _after_dialogue(self, protocol: Protocol, connection: socket.socket) -> HandshakeSeen:
        early, farewell, until = await self._talk(protocol, connection)
        try:
            seen = await self._over(connection, alpn=False, farewell=farewell, deadline=until)
        except TlsFailed as failure:
            failure.protocol = protocol
            raise
        return replace(seen, protocol=protocol, early_bytes=early)

    async def _by_ourselves(self, protocol: Protocol) -> HandshakeSeen | None:
        """The chain of a server that our TLS library and it cannot agree on; None if it shows us none either."""

        async def reach() -> socket.socket:
            connection = await self.connect()
            if protocol is not Protocol.TLS:
                await self._talk(protocol, connection)
            return connection

        to_server = Reach(reach, lambda connection: self.part(connection, None, None), self.name, self.deadline)
        # Hellos that come to nothing are what the watchdogs of mail servers count.
        return await ask(to_server, offers_max=1 if mail_service(self.port, protocol) else OFFERS_MAX)

    async def _talk(
        self, protocol: Protocol, connection: socket.socket
    ) -> tuple[int, protocols.Farewell | None, float]:
        """The dialogue before TLS: bytes that came too early, the words to leave with, and until when TLS may take.

        Parts where it fails.
        """
        try:
            early, until = await self._dialogue(protocol, connection)
            return early, protocols.farewell_after_dialogue(protocol, self._party(connection)), until
        except BaseException:
            self.part(connection, None, None)
            raise

    async def converse(self, protocol: Protocol, more: Variation) -> tuple[Conversation, Callable[[], None]]:
        """One more handshake in a protocol known to be spoken here, and how to leave. Raises Unsuccessful."""
        connection = await self.connect()
        alpn, farewell = probing.offers_alpn(self.port), protocols.farewell_on_direct_port(self.port)
        until = self.deadline
        if protocol is not Protocol.TLS:
            alpn, (_, farewell, until) = False, await self._talk(protocol, connection)
        offered = probing.HTTP if alpn else ()
        try:
            conversation = await shake_hands(
                connection,
                more.context,
                sni=more.name,
                alpn=offered,
                deadline=until,
                session=more.session,
                tickets=more.tickets,
            )
        except BaseException:
            self.part(connection, None, None)
            raise
        return conversation, lambda: self.part(connection, conversation, farewell)

    async def _dialogue(self, protocol: Protocol, connection: socket.socket) -> tuple[int, float]:
        """Bytes that came too early for TLS, and until when it may take."""
        dialogue = protocols.dialogue(protocol, self._party(connection))
        greeting = self.greeting_seconds if protocol is Protocol.SMTP else 0.0
        carrier = Carrier(connection, protocol, dialogue, deadline=self.deadline, greeting_seconds=greeting)
        return await carrier.run(patience=self._patience()), carrier.deadline

    def _patience(self) -> float | None:
        """How long silence is waited out (loop time) before TLS is tried instead; None = to the end."""
        if self.asked is not Protocol.AUTO or self.port in _NEVER_TLS_FIRST:
            return None
        latest = self.deadline + self.greeting_seconds - _LEFT_FOR_TLS_SECONDS
        now = asyncio.get_running_loop().time()
        return latest if self.known is not None or self.greeting_seconds else min(latest, now + _SILENCE_SECONDS)

    def _party(self, connection: socket.socket) -> Party:
        return party_at(connection, self.own_name, self.peer_name, self.port)

    async def _directly(self, connection: socket.socket) -> HandshakeSeen:
        alpn, farewell = probing.offers_alpn(self.port), protocols.farewell_on_direct_port(self.port)
        try:
            return await self._over(connection, alpn=alpn, farewell=farewell)
        except TlsFailed as failure:
            if not (alpn and failure.alert == _NO_APPLICATION_PROTOCOL):
                raise
        return await self._over(await self.connect(), alpn=False, farewell=farewell)

    async def _over(
        self,
        connection: socket.socket,
        *,
        alpn: bool,
        farewell: protocols.Farewell | None,
        deadline: float | None = None,
    ) -> HandshakeSeen:
        """One handshake; the connection is parted from afterwards, whatever came of it."""
        conversation, until = None, self.deadline if deadline is None else deadline
        try:
            conversation = await shake_hands(
                connection, self.context, sni=self.name, alpn=probing.HTTP if alpn else (), deadline=until
            )
            return conversation.seen
        finally:
            self.part(connection, conversation, farewell)
