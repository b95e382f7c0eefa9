"""Records, heartbeats among them, of which nothing but the head is ever looked at. Pure.

What a server with Heartbleed sends is other people's memory: it is counted as it passes and never put together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.records import BYTES_MAX, Encrypted, FatalAlert, Message, Records

HEARTBEAT_RECORD = 24
HEARTBEATS_MAX = 16
_RECORD_HEAD = 5
_HEARTBEAT_HEAD = 3  # its type and the length it claims for its payload (RFC 6520 section 4)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A heartbeat message: its type, the payload length it claims, and the length of the whole in bytes."""

    kind: int
    claimed: int
    length: int


@dataclass(frozen=True, slots=True)
class Ended:
    """No more can come: the peer closed politely (`left`), or it did not, for the reason `how`."""

    how: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing has come for as long as was waited; the connection stands."""


Event = Message | FatalAlert | Encrypted | Heartbeat | Ended | Quiet


@dataclass(slots=True)
class Listener:
    """What came on one connection and is no whole event yet."""

    _records: Records = field(default_factory=Records)
    _head: bytearray = field(default_factory=bytearray)
    _left: int = 0
    _heartbeat: _Passing | None = None
    _heartbeats: int = 0
    _received: int = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes completed; what is no TLS, or too much of it, is an end. Raises nothing."""
        events: list[Event] = []
        try:
            self._hear(memoryview(data), events)
        except Malformed as flaw:
            # What was whole before it counts: records in cipher come right behind the last ones in clear.
            events.append(Ended(f"answered with what is no TLS: {flaw}"))
        return events

    def _hear(self, view: memoryview, events: list[Event]) -> None:
        self._received += len(view)
        if self._received > BYTES_MAX:
            raise Malformed(f"more than {BYTES_MAX} bytes")
        while view:
            if self._left == 0:
                view = self._begin(view, events)
            else:
                taken, view = view[: self._left], view[self._left :]
                self._left -= len(taken)
                events.extend(self._pass_on(taken))

    def _begin(self, view: memoryview, events: list[Event]) -> memoryview:
        missing = _RECORD_HEAD - len(self._head)
        self._head += view[:missing]
        if len(self._head) == _RECORD_HEAD:
            head, self._head = bytes(self._head), bytearray()
            self._left = int.from_bytes(head[3:], "big")
            self._heartbeat = _Passing(self._left) if head[0] == HEARTBEAT_RECORD else None
            if self._heartbeat is None:
                events.extend(self._records.feed(head))
            elif self._left == 0:
                raise Malformed("an empty heartbeat")
        return view[missing:]

    def _pass_on(self, content: memoryview) -> list[Event]:
        if self._heartbeat is None:
            return list(self._records.feed(bytes(content)))
        self._heartbeat.head += bytes(content[: _HEARTBEAT_HEAD - len(self._heartbeat.head)])
        return [self._heartbeat_ends()] if self._left == 0 else []

    def _heartbeat_ends(self) -> Heartbeat:
        passing, self._heartbeat = self._heartbeat, None
        self._heartbeats += 1
        if passing is None or len(passing.head) < _HEARTBEAT_HEAD or self._heartbeats > HEARTBEATS_MAX:
            raise Malformed("heartbeats that are too short or too many")
        return Heartbeat(passing.head[0], int.from_bytes(passing.head[1:], "big"), passing.length)


@dataclass(slots=True)
class _Passing:
    """A heartbeat on its way through: how long it is, and its first three bytes."""

    length: int
    head: bytearray = field(default_factory=bytearray)
