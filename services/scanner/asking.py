"""One question on a connection of its own: connect, the dialogue before TLS if there is one, the hello, the answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from services.scanner.connect import connect
from services.scanner.dialogue import Carrier, DialogueFailed, party_at
from services.scanner.sightings import Address, Unsuccessful
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome
from vigilo.tls.starttls import protocols
from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.server_hello import parse_ssl2

PROBE_SECONDS = 5.0
_CHUNK = 64 * 1024
_SSL2_MAX = 64 * 1024
_TLS_ALERT, _ALERT_BYTES, _FATAL = 21, 7, 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to ask, and how: `sni` None for none, `alpn` where application protocols are usual.

    `protocol` is what is spoken before TLS; its dialogue says `own_name` (None = our address in brackets) and
    `peer_name`. A greeting may take `greeting_seconds` on top of the time a question has.
    """

    address: Address
    port: int
    sni: str | None
    alpn: bool
    protocol: Protocol = Protocol.TLS
    own_name: str | None = None
    peer_name: str = ""
    greeting_seconds: float = 0.0


@dataclass(slots=True)
class Asking:
    """Asks one endpoint, a connection for each question; `opened` is told of each.

    `turned_away` is what the server said when it asked us to come another time: then nobody asks on.
    """

    endpoint: Endpoint
    part_from: Callable[[socket.socket], None]
    opened: Callable[[], None]
    probe_seconds: float = PROBE_SECONDS
    connections: int = 0
    turned_away: str | None = None

    async def converse(
        self, hello: bytes, feed: Callable[[bytes], T | None], ended: Callable[..., T], *, deadline: float
    ) -> T:
        """Says `hello` on a new connection and feeds what comes back until there is an answer.

        Else `ended` is asked for one: with the reason, and `silent` where it says nothing about the hello. `deadline`
        is in the running loop's time; one question takes `probe_seconds` and the greeting's at most.
        """
        until = min(deadline, asyncio.get_running_loop().time() + self.probe_seconds)
        self.connections += 1
        self.opened()
        try:
            connection = await connect(self.endpoint.address, self.endpoint.port, deadline=until)
        except Unsuccessful as failure:
            return ended(failure.detail, silent=failure.outcome is not Outcome.RESET)
        try:
            until = await self._dialogue(connection, deadline=until, last=deadline)
            return await _say(connection, hello, feed, ended, deadline=until)
        except DialogueFailed as failure:
            if failure.outcome is Outcome.THROTTLED:
                self.turned_away = failure.detail
            # Nothing of TLS was said: this is no answer to the hello.
            return ended(failure.detail, silent=True)
        finally:
            # Left before the next one is begun: no more are ever open than may be in flight.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            self.part_from(connection)

    async def _dialogue(self, connection: socket.socket, *, deadline: float, last: float) -> float:
        """Until when the hello may take. Raises DialogueFailed."""
        asked = self.endpoint
        if asked.protocol is Protocol.TLS:
            return deadline
        dialogue = protocols.dialogue(asked.protocol, party_at(connection, asked.own_name, asked.peer_name, asked.port))
        patience = max(0.0, min(asked.greeting_seconds, last - deadline))
        carrier = Carrier(connection, asked.protocol, dialogue, deadline=deadline, greeting_seconds=patience)
        await carrier.run()
        return carrier.deadline


async def _say(
    connection: socket.socket,
    hello: bytes,
    feed: Callable[[bytes], T | None],
    ended: Callable[..., T],
    *,
    deadline: float,
) -> T:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline):
            await loop.sock_sendall(connection, hello)
            while data := await loop.sock_recv(connection, _CHUNK):
                if (answer := feed(data)) is not None:
                    return answer
        return ended("hung up")
    except TimeoutError:
        return ended("no answer in time", silent=True)
    except OSError as error:
        return ended(error.strerror or type(error).__name__)


@dataclass(slots=True)
class Ssl2Hearing:
    """Listens for SSL 2's SERVER-HELLO."""

    _data: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Support | None:
        """The answer, or None while more bytes are needed. Raises nothing for any bytes."""
        self._data += data
        if self._data[0] == _TLS_ALERT:
            # The answer of a server that knows TLS only.
            whole = len(self._data) >= _ALERT_BYTES
            return (Support.REJECTED if self._data[5] == _FATAL else Support.UNKNOWN) if whole else None
        try:
            ciphers = parse_ssl2(bytes(self._data))
        except Malformed:
            return Support.UNKNOWN
        if ciphers is None:
            return Support.UNKNOWN if len(self._data) > _SSL2_MAX else None
        return Support.ACCEPTED if ciphers else Support.REJECTED

    @staticmethod
    def ended(_: str, *, silent: bool = False) -> Support:
        """Hanging up is how nearly every server without SSL 2 answers; a control probe guards the conclusion."""
        return Support.UNKNOWN if silent else Support.REJECTED
