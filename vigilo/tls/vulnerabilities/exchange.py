"""One probe on one connection: a generator that says something and is told what came. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vigilo.tls.vulnerabilities.listening import Ended, Event, Listener, Quiet

T = TypeVar("T")

QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Say:
    """Send these bytes (none: only listen) and tell what comes next.

    `hurry`: silence of QUIET_SECONDS is an answer, too. `last`: we say nothing more.
    """

    data: bytes = b""
    hurry: bool = False
    last: bool = False


Script = Generator[Say, Event, T]


class Unclear(Exception):
    """A script cannot go on, and nothing can be concluded; the message says why."""


@dataclass(slots=True)
class Exchange(Generic[T]):
    """Plays a script over a connection that somebody else holds. `result` is its end, once there is one.

    Every method answers what to send next, or None when the script has ended. Raises Unclear, nothing else.
    """

    script: Script[T]
    result: T | None = None
    _listener: Listener = field(default_factory=Listener)
    _waiting: deque[Event] = field(default_factory=deque)

    def begin(self) -> Say | None:
        """The first words."""
        try:
            return next(self.script)
        except StopIteration as end:
            self.result = end.value
            return None

    def receive(self, data: bytes) -> Say | None:
        """Bytes have come."""
        self._waiting.extend(self._listener.feed(data))
        return self._advance()

    def quiet(self) -> Say | None:
        """Nothing has come for QUIET_SECONDS."""
        self._waiting.append(Quiet())
        return self._advance()

    def ended(self, how: str, *, left: bool = False) -> Say | None:
        """Nothing more will come. `left`: the peer closed, and was not cut off."""
        self._waiting.append(Ended(how, left=left))
        return self._advance()

    def _advance(self) -> Say | None:
        said = Say()
        try:
            while self._waiting:
                following = self.script.send(self._waiting.popleft())
                said = Say(said.data + following.data, following.hurry, said.last or following.last)
        except StopIteration as end:
            self.result = end.value
            return None
        return said
