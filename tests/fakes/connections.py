"""What servers made by hand do with connections: take each in a thread, read just so much, pass on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def accepting(serve: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[int]:
    """The port of a listener that gives each connection to `serve`, in a thread."""

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server((host, 0), backlog=1024) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            # A blocked accept() does not notice close(), only shutdown().
            listener.shutdown(socket.SHUT_RDWR)


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes. Raises EOFError when the other side leaves before."""
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Passes on whatever comes, and its end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
