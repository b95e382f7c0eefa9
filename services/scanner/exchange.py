"""Bytes to and from a peer, each under an absolute deadline; what goes wrong has the same words everywhere."""

from __future__ import annotations

import asyncio
import socket

from services.scanner.sightings import Unsuccessful
from vigilo.events.scans import Outcome


async def send(connection: socket.socket, data: bytes, *, deadline: float, where: str) -> None:
    """Sends all of it. `deadline` is in the running loop's time; `where` says in words how far we have come.

    A peer that has left is no error: why it left may be waiting for us, and the next `receive` tells.
    Raises Unsuccessful: tls-timeout.
    """
    if not data:
        return
    try:
        async with asyncio.timeout_at(deadline):
            await asyncio.get_running_loop().sock_sendall(connection, data)
    except TimeoutError as error:
        raise Unsuccessful(Outcome.TLS_TIMEOUT, f"the server stopped reading {where}") from error
    except OSError:
        return


async def receive(connection: socket.socket, size: int, *, deadline: float, where: str) -> bytes:
    """At least one byte, at most `size`. Raises Unsuccessful: tls-timeout, reset, closed."""
    try:
        async with asyncio.timeout_at(deadline):
            data = await asyncio.get_running_loop().sock_recv(connection, size)
    except TimeoutError as error:
        raise Unsuccessful(Outcome.TLS_TIMEOUT, f"the server fell silent {where}") from error
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise Unsuccessful(Outcome.RESET, f"connection lost {where}: {words}") from error
    if not data:
        raise Unsuccessful(Outcome.CLOSED, f"the server closed the connection {where}")
    return data
