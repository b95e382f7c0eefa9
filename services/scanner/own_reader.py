"""The chain of servers that our TLS library refuses, read by ourselves: up to TLS 1.2 it is served in the clear.

SSL 3, RC4, 3DES, export suites, DSA, keys or messages of a size the library will not have: nothing of it keeps the
chain from being seen. No handshake is ever finished here.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from services.scanner.exchange import send
from services.scanner.sightings import HandshakeSeen, Unsuccessful
from services.scanner.transcript import Transcript
from vigilo.events.handshakes import ReadBy
from vigilo.tls.client_certificates import describe_demand
from vigilo.tls.own_offers import own_offers
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.certificate_messages import SCT
from vigilo.tls.wire.client_hello import Offer, encode
from vigilo.tls.wire.server_flight import ServerFlight
from vigilo.tls.wire.suite_names import suite_name

OFFERS_MAX = 3
_CHUNK = 64 * 1024
# Whoever waits for this scan has waited for a handshake already; what was said then still has to reach them.
_LISTENING_SECONDS = 1.0
_LEFT_TO_TELL_SECONDS = 0.2
_VERSIONS = frozenset({code.SSL3, code.TLS10, code.TLS11, code.TLS12, code.TLS13})


@dataclass(frozen=True, slots=True)
class Reach:
    """How to get to the server once more: `connect` returns a socket on which TLS may begin."""

    connect: Callable[[], Awaitable[socket.socket]]
    part: Callable[[socket.socket], None]
    name: str | None
    deadline: float


async def read_on(
    connection: socket.socket, transcript: Transcript, offered: Collection[str], *, deadline: float
) -> HandshakeSeen | None:
    """What the server says on this connection, which our library has given up; None without a chain.

    `offered` are the suites (IANA names) the library offered: another choice is no choice.
    """
    flight = transcript.flight()
    await _listen(connection, flight, _until(deadline))
    if flight.hello is None or suite_name(flight.hello.suite) not in offered:
        return None
    return _seen(flight)


async def ask(reach: Reach, *, offers_max: int) -> HandshakeSeen | None:
    """The chain by hellos of our own, a connection for each; None when none was answered with one."""
    for offer in own_offers()[:offers_max]:
        until = _until(reach.deadline)
        try:
            async with asyncio.timeout_at(until):
                connection = await reach.connect()
        except (Unsuccessful, TimeoutError):
            return None
        try:
            seen = await _offer(connection, offer, reach.name, until)
        except Unsuccessful:
            seen = None
        finally:
            reach.part(connection)
        if seen is not None:
            return seen
    return None


def _until(deadline: float) -> float:
    return min(deadline - _LEFT_TO_TELL_SECONDS, asyncio.get_running_loop().time() + _LISTENING_SECONDS)


async def _offer(connection: socket.socket, offer: Offer, name: str | None, until: float) -> HandshakeSeen | None:
    extras = {} if offer.plain else {SCT: b""}
    hello = encode(offer, sni=name, random=os.urandom(96), extras=extras)
    await send(connection, hello, deadline=until, where="in a hello of our own")
    flight = ServerFlight()
    await _listen(connection, flight, until)
    if flight.hello is None or flight.hello.suite not in offer.suites or flight.hello.version > offer.version:
        return None
    return _seen(flight)


async def _listen(connection: socket.socket, flight: ServerFlight, deadline: float) -> None:
    """Until the server has said all that it says unasked, or time is up: what is known by then counts."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline):
            while not (flight.ended or flight.done or flight.finished):
                data = await loop.sock_recv(connection, _CHUNK)
                if not data:
                    return
                flight.feed(data)
    except (TimeoutError, OSError):
        return


def _seen(flight: ServerFlight) -> HandshakeSeen | None:
    hello, chain = flight.hello, flight.chain
    if hello is None or hello.version not in _VERSIONS or chain is None or not chain.certificates:
        return None
    group = hello.group if hello.version == code.TLS13 else flight.group
    return HandshakeSeen(
        version=code.VERSION_NAMES[hello.version],
        cipher_suite=suite_name(hello.suite),
        group=None if group is None else code.group_name(group),
        alpn=None if hello.alpn is None else hello.alpn.decode("utf-8", errors="backslashreplace"),
        chain=chain.certificates,
        served=chain.count,
        staple=flight.staple,
        client_certificate_demanded=flight.authorities is not None,
        client_certificate=None if flight.authorities is None else describe_demand(flight.authorities, required=None),
        hello_extensions=tuple(hello.extensions),
        read_by=ReadBy.OWN,
        scts=flight.scts,
    )
