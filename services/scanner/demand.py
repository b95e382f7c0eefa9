"""Does a TLS 1.3 server insist on the client certificate it asked for? It says so only after our last word."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from OpenSSL import SSL

_PATIENCE_SECONDS = 0.5  # a server that is content may have nothing to say
_CHUNK = 16 * 1024


async def find_out(connection: socket.socket, tls: SSL.Connection, *, deadline: float) -> bool | None:
    """True when the server leaves for want of our certificate (RFC 8446 section 4.4.2.4: by an alert), False when it
    goes on (a session ticket, data), None when it keeps silent. What it says inside TLS stays to be heard.
    """
    loop = asyncio.get_running_loop()
    until = min(deadline, loop.time() + _PATIENCE_SECONDS)
    while True:
        try:
            async with asyncio.timeout_at(until):
                data = await loop.sock_recv(connection, _CHUNK)
        except TimeoutError:
            return None
        except OSError:
            data = b""
        if not data:
            with contextlib.suppress(SSL.Error):
                tls.bio_shutdown()
                tls.recv(1, socket.MSG_PEEK)
            return True
        tls.bio_write(data)
        try:
            tls.recv(1, socket.MSG_PEEK)
        except SSL.WantReadError:
            if tls.want_read() and not _is_complete(data):
                continue
            return False
        except SSL.Error:
            return True
        return False


def _is_complete(data: bytes) -> bool:
    """True when these bytes, which begin a record, hold at least one whole."""
    return len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big")
