"""One full handshake in TLS 1.2 or older, for the session ticket that the server gives out in the clear."""

from __future__ import annotations

import contextlib
import socket

from OpenSSL import SSL

from services.scanner.exchange import receive, send
from vigilo.tls.vulnerabilities.exchange import Unclear
from vigilo.tls.vulnerabilities.ticketbleed import STREAM_MAX, Ticket, read_ticket
from vigilo.tls.wire.reading import Malformed

_CIPHERS = b"ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0"
_CHUNK = 16 * 1024
_WHERE = "on the way to a session ticket"


async def obtain_ticket(connection: socket.socket, *, version: int, sni: str | None, deadline: float) -> Ticket:
    """The ticket of a session that has ended by then. `version` as the wire writes it, TLS 1.0 to 1.2.

    `deadline` in the loop's time; the socket stays open. Raises Unclear, and Unsuccessful for the network's part.
    """
    tls = SSL.Connection(_context(version), None)
    tls.set_connect_state()
    if sni is not None:
        tls.set_tlsext_host_name(sni.encode("ascii"))
    stream = await _finish(tls, connection, deadline)
    tls.shutdown()
    await _flush(tls, connection, deadline)
    try:
        ticket = read_ticket(stream)
    except Malformed as flaw:
        raise Unclear(f"sent a handshake that is none: {flaw}") from flaw
    if ticket is None:
        raise Unclear("gave out no ticket after all")
    return ticket


def _context(version: int) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.set_cipher_list(_CIPHERS)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
    context.set_verify(SSL.VERIFY_NONE)
    return context


async def _finish(tls: SSL.Connection, connection: socket.socket, deadline: float) -> bytes:
    """What the server sent until the handshake had finished."""
    stream = b""
    while True:
        try:
            tls.do_handshake()
        except SSL.WantReadError:
            await _flush(tls, connection, deadline)
        except SSL.Error as error:
            raise Unclear("does not finish a handshake in TLS 1.2 with us") from error
        else:
            return stream
        data = await receive(connection, _CHUNK, deadline=deadline, where=_WHERE)
        stream += data
        if len(stream) > STREAM_MAX:
            raise Unclear(f"sent more than {STREAM_MAX} bytes in a handshake")
        tls.bio_write(data)


async def _flush(tls: SSL.Connection, connection: socket.socket, deadline: float) -> None:
    with contextlib.suppress(SSL.WantReadError):
        while True:
            await send(connection, tls.bio_read(_CHUNK), deadline=deadline, where=_WHERE)
