"""Ticketbleed, CVE-2016-9244: F5 BIG-IP echoed 32 bytes of any session id sent with a ticket it accepted. Pure.

Ours has 31 bytes, so no more than one foreign byte can come. Of what comes only the length and our own part are looked
at (RFC 5077 section 3.4: a server that resumes echoes the id as it was).
"""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.tls.vulnerabilities.exchange import Say, Script, Unclear
from vigilo.tls.vulnerabilities.finding import Finding, safe, unknown, vulnerable
from vigilo.tls.vulnerabilities.flight import told
from vigilo.tls.wire.reading import Malformed, Reader
from vigilo.tls.wire.records import FatalAlert, Message
from vigilo.tls.wire.server_hello import SERVER_HELLO, parse_server_hello

SESSION_ID_BYTES = 31
STREAM_MAX = 256 * 1024
_CHANGE_CIPHER_SPEC, _HANDSHAKE = 20, 22
_NEW_SESSION_TICKET = 4
_RANDOM_BYTES, _LIFETIME_BYTES = 32, 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session ticket, and the suite of its session: one that resumes has to offer it again."""

    ticket: bytes
    suite: int


def read_ticket(stream: bytes) -> Ticket | None:
    """The ticket in what a server sent until its ChangeCipherSpec, in the clear up to TLS 1.2; None without one.

    Raises Malformed for what is no TLS.
    """
    if len(stream) > STREAM_MAX:
        raise Malformed(f"a handshake of more than {STREAM_MAX} bytes")
    messages, suite = Reader(_handshake_of(Reader(stream))), None
    while messages.left:
        kind, body = messages.number(1), messages.vector(3)
        if kind == SERVER_HELLO:
            suite = parse_server_hello(body).suite
        elif kind == _NEW_SESSION_TICKET and suite is not None:
            reader = Reader(body)
            reader.take(_LIFETIME_BYTES)
            ticket = reader.vector(2)
            return Ticket(ticket, suite) if ticket else None
    return None


def _handshake_of(records: Reader) -> bytes:
    parts = []
    while records.left:
        kind, _, content = records.number(1), records.number(2), records.vector(2)
        if kind == _CHANGE_CIPHER_SPEC:
            break
        if kind == _HANDSHAKE:
            parts.append(content)
    return b"".join(parts)


def probe_ticketbleed(hello: bytes, session_id: bytes) -> Script[Finding]:
    """`hello` presents a ticket together with `session_id`, which is shorter than 32 bytes. Raises Unclear."""
    event = yield Say(hello)
    if isinstance(event, FatalAlert):
        raise Unclear(f"{told(event)} at its own ticket")
    if not isinstance(event, Message) or event.kind != SERVER_HELLO:
        raise Unclear(f"{told(event)} instead of a ServerHello")
    try:
        return _judge(event.body, session_id)
    except Malformed as flaw:
        raise Unclear(f"sent a ServerHello that is none: {flaw}") from flaw


def _judge(body: bytes, session_id: bytes) -> Finding:
    reader = Reader(body)
    reader.number(2)
    reader.take(_RANDOM_BYTES)
    length = reader.number(1)
    if length < len(session_id) or reader.take(len(session_id)) != session_id:
        return unknown("did not take its own ticket back, so there was nothing to see")
    if length > len(session_id):
        return vulnerable(f"echoed a session id of {len(session_id)} bytes as one of {length}")
    return safe("echoes a session id as long as it was")
