"""A loopback server that follows a script instead of a protocol: banners, silence, resets, drips, garbage, alerts."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Hear:
    """Reads until at least `count` bytes have come (or the client has left)."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Say:
    """Sends bytes; with `every` one at a time, that many seconds apart, again and again."""

    data: bytes
    every: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stays silent for so many seconds, or until the server stops."""

    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Leave:
    """Closes: `fin` politely, `rst` with a reset."""

    how: Literal["fin", "rst"] = "fin"


@dataclass(frozen=True, slots=True)
class Reply:
    """Sends what `make` makes of all that has been heard so far."""

    make: Callable[[bytes], bytes]


Step = Hear | Say | Wait | Leave | Reply


def alert(description: int, *, level: int = 2) -> bytes:
    """One plain TLS alert record (RFC 8446 section 6)."""
    return bytes((0x15, 3, 3, 0, 2, level, description))


@dataclass(slots=True)
class HostileServer:
    """Plays the script on every connection. Use as a context manager. `heard` is what each client sent."""

    script: Sequence[Step]
    host: str = "127.0.0.1"
    port: int = 0
    accepted: int = 0
    heard: list[bytearray] = field(default_factory=list)
    _listener: socket.socket | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> HostileServer:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=1024)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            heard = bytearray()
            self.heard.append(heard)
            threading.Thread(target=self._play, args=(connection, heard), daemon=True).start()

    def _play(self, connection: socket.socket, heard: bytearray) -> None:
        connection.settimeout(30)
        with connection, contextlib.suppress(OSError):
            for step in self.script:
                self._perform(step, connection, heard)

    def _perform(self, step: Step, connection: socket.socket, heard: bytearray) -> None:
        match step:
            case Hear(count):
                while len(heard) < count and (data := connection.recv(65536)):
                    heard += data
            case Say(data, None):
                connection.sendall(data)
            case Say(data, every):
                while not self._stop.is_set():
                    for byte in data:
                        connection.sendall(bytes((byte,)))
                        self._stop.wait(every)
            case Reply(make):
                connection.sendall(make(bytes(heard)))
            case Wait(seconds):
                self._stop.wait(seconds)
            case Leave("rst"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            case Leave():
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def black_hole(host: str = "127.0.0.1") -> Iterator[int]:
    """A port whose connects are never answered: the accept queue is full and nobody accepts (Linux drops the SYN)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]
