"""TCP to one checked address, under an absolute deadline; and away again without a reset."""

from __future__ import annotations

import asyncio
import errno
import socket

from services.scanner.sightings import Address, Unsuccessful
from vigilo.events.scans import Outcome

CONNECT_SECONDS = 3.0
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 64 * 1024

_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
# A firewall's answer (reject with icmp-admin-prohibited, local filter), not the peer's.
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_OUR_OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


async def connect(address: Address, port: int, *, deadline: float) -> socket.socket:
    """A connected, non-blocking socket. `deadline` is in the running loop's time; at most 3 s are spent anyway.

    Raises Unsuccessful: refused, unreachable, connect-timeout, reset, not-performed (our own limits).
    """
    loop = asyncio.get_running_loop()
    until = min(deadline, loop.time() + CONNECT_SECONDS)
    connection = _socket(address)
    try:
        async with asyncio.timeout_at(until):
            await loop.sock_connect(connection, (str(address), port))
    except TimeoutError as error:
        connection.close()
        raise Unsuccessful(Outcome.CONNECT_TIMEOUT, f"no answer to our connect at {address} port {port}") from error
    except OSError as error:
        connection.close()
        raise _explained(error, f"connect to {address} port {port}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _socket(address: Address) -> socket.socket:
    try:
        connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    except OSError as error:
        raise _explained(error, "opening a socket") from error
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _explained(error: OSError, step: str) -> Unsuccessful:
    words = error.strerror or str(error)
    if isinstance(error, ConnectionRefusedError):
        return Unsuccessful(Outcome.REFUSED, f"{step}: connection refused")
    if isinstance(error, ConnectionResetError):
        return Unsuccessful(Outcome.RESET, f"{step}: connection reset")
    if error.errno == errno.ETIMEDOUT:
        return Unsuccessful(Outcome.CONNECT_TIMEOUT, f"{step}: {words}")
    if error.errno in _OUR_OWN_LIMITS:
        return Unsuccessful(Outcome.NOT_PERFORMED, f"{step}: the scanner's own limit: {words}")
    if error.errno in _UNREACHABLE | _FORBIDDEN:
        return Unsuccessful(Outcome.UNREACHABLE, f"{step}: {words}")
    return Unsuccessful(Outcome.UNREACHABLE, f"{step}: {type(error).__name__}: {words}")


async def part(connection: socket.socket) -> None:
    """Closes after the peer has: closing with unread bytes (session tickets) would send a reset into its log.

    Waits at most a second and reads at most 64 KiB.
    """
    loop = asyncio.get_running_loop()
    try:
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_LINGER_SECONDS):
            left = _LINGER_BYTES
            while left > 0 and (data := await loop.sock_recv(connection, left)):
                left -= len(data)
    except (TimeoutError, OSError):
        pass
    finally:
        connection.close()
