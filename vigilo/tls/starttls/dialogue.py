"""A dialogue before TLS as a state machine: bytes in, and out comes what to send, and whether TLS may begin. Pure.

A script (one file per protocol) is a generator: it says things to the peer and yields whenever it needs more bytes.
It ends by returning (the peer has agreed: TLS begins) or by raising Declined.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum

DIALOGUE_MAX = 64 * 1024  # bytes of the peer, greeting included
_QUOTED = 160  # characters of a peer's line in a reason

Script = Generator[None, bytes, None]


class Why(StrEnum):
    """Kinds of refusal: `refused` = understood and declined; `busy` = not now, or not to us; `stranger` = another
    protocol is spoken here."""

    REFUSED = "refused"
    BUSY = "busy"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class NeedMore:
    """Send these bytes (maybe none), then bring what the peer answers."""

    send: bytes = b""


@dataclass(frozen=True, slots=True)
class Ready:
    """Send these bytes (maybe none), then begin TLS.

    `leftover` is what the peer sent after its go-ahead, in the clear. It must not be taken for part of what follows:
    whoever sits between could have put it there (CVE-2011-0411 and its kin).
    """

    send: bytes = b""
    leftover: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    """No TLS here. `send` says goodbye; `reason` may quote the peer, so it becomes PeerText."""

    why: Why
    reason: str
    send: bytes = b""


Step = NeedMore | Ready | Refused


class Declined(Exception):
    """Raised by scripts: the dialogue ends without TLS."""

    def __init__(self, reason: str, *, why: Why = Why.REFUSED, goodbye: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.why = why
        self.goodbye = goodbye


class Peer:
    """The other side, as a script sees it."""

    def __init__(self) -> None:
        self.unread = bytearray()
        self.outgoing = bytearray()

    def say(self, data: bytes) -> None:
        """Goes out before the next bytes are waited for."""
        self.outgoing += data

    def more(self) -> Generator[None, bytes, None]:
        """At least one more byte."""
        self.unread += yield

    def take(self, count: int) -> Generator[None, bytes, bytes]:
        """Exactly so many bytes."""
        while len(self.unread) < count:
            yield from self.more()
        return self._cut(count)

    def line(self) -> Generator[None, bytes, bytes]:
        """One line without its end: CRLF, or LF alone as some servers write it."""
        seen = 0
        while (end := self.unread.find(b"\n", seen)) < 0:
            seen = len(self.unread)
            yield from self.more()
        return self._cut(end + 1).rstrip(b"\r\n")

    def _cut(self, count: int) -> bytes:
        taken = bytes(self.unread[:count])
        del self.unread[:count]
        return taken


@dataclass(frozen=True, slots=True)
class Party:
    """Whom we say we are and whom we want. Both are names or literals that need no escaping in any protocol.

    `own_name` goes into EHLO (RFC 5321 section 4.1.1.1: a domain or an address literal in brackets). `peer_name` is
    the domain XMPP asks for; `port` tells XMPP's server port from its client port.
    """

    own_name: str
    peer_name: str
    port: int


class Dialogue:
    """One run of a script. `begin` once, then `receive` until the step is Ready or Refused."""

    def __init__(self, script: Callable[[Peer, Party], Script], party: Party) -> None:
        self._peer = Peer()
        self._script = script(self._peer, party)
        self._received = 0

    @property
    def received(self) -> int:
        """Bytes of the peer so far."""
        return self._received

    def begin(self) -> Step:
        """What to do first: many protocols wait for the server's greeting, some speak."""
        return self._step(lambda: next(self._script))

    def receive(self, data: bytes) -> Step:
        """What to do now that these bytes (at least one) have come. Raises nothing for any bytes."""
        self._received += len(data)
        if self._received > DIALOGUE_MAX:
            self._script.close()
            return Refused(Why.STRANGER, f"more than {DIALOGUE_MAX} bytes and no end of the dialogue")
        return self._step(lambda: self._script.send(data))

    def _step(self, advance: Callable[[], None]) -> Step:
        try:
            advance()
        except StopIteration:
            return Ready(self._to_send(), bytes(self._peer.unread))
        except Declined as declined:
            return Refused(declined.why, declined.reason, self._to_send() + declined.goodbye)
        return NeedMore(self._to_send())

    def _to_send(self) -> bytes:
        data = bytes(self._peer.outgoing)
        self._peer.outgoing.clear()
        return data


def quoted(line: bytes) -> str:
    """A peer's line for a reason."""
    return line.decode("utf-8", errors="backslashreplace")[:_QUOTED]
