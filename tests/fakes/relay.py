"""A TCP relay on loopback that counts connections, and may ban its client after so many of them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType

from tests.fakes.connections import pump

_IO_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)


class Ban(Enum):
    """What happens to those who are banned."""

    RESET = auto()
    SILENCE = auto()
    REFUSAL = auto()  # nobody listens any more, and nobody counts


@dataclass(slots=True)
class Relay:
    """Passes connections on to `127.0.0.1:target_port`. Use as a context manager.

    After `ban_after` connections, each further one meets with the `ban`.
    """

    target_port: int
    ban_after: int | None = None
    ban: Ban = Ban.RESET
    port: int = 0
    accepted: int = 0
    _listener: socket.socket | None = None
    _held: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Relay:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for held in self._held:
            held.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.ban_after is not None and self.accepted > self.ban_after:
                self._turn_away(listener, client)
                continue
            threading.Thread(target=carry, args=(client, self.target_port), daemon=True).start()

    def _turn_away(self, listener: socket.socket, client: socket.socket) -> None:
        if self.ban is Ban.SILENCE:
            self._held.append(client)
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        client.close()
        if self.ban is Ban.REFUSAL:
            listener.close()


def carry(client: socket.socket, target_port: int) -> None:
    """Passes one connection on to `127.0.0.1:target_port`, until both sides have ended."""
    with client, contextlib.suppress(OSError):
        server = socket.create_connection(("127.0.0.1", target_port), _IO_SECONDS)
        client.settimeout(_IO_SECONDS)
        with server:
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join(_IO_SECONDS)
