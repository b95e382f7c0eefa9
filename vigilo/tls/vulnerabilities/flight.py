"""A server's first flight below TLS 1.3, ServerHello to ServerHelloDone (RFC 5246 section 7.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.tls.vulnerabilities.exchange import Say, Script, Unclear
from vigilo.tls.vulnerabilities.listening import Ended, Event
from vigilo.tls.wire.alerts import alert_name
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.reading import Malformed, Reader
from vigilo.tls.wire.records import FatalAlert, Message
from vigilo.tls.wire.server_hello import (
    CERTIFICATE,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    ServerHello,
    parse_server_hello,
)

MESSAGES_MAX = 12


@dataclass(frozen=True, slots=True)
class Flight:
    """What the server said of itself; `leaf` is DER, None for suites without certificates."""

    hello: ServerHello
    leaf: bytes | None


def hear_flight(hello: bytes, offer: Offer) -> Script[Flight]:
    """Says the hello and hears the flight. Raises Unclear where it does not come whole, or not from the offer."""
    answer = _hello((yield Say(hello)), offer)
    leaf: bytes | None = None
    for _ in range(MESSAGES_MAX):
        event = yield Say()
        if not isinstance(event, Message):
            raise Unclear(f"{told(event)} before its first flight was whole")
        if event.kind == SERVER_HELLO_DONE:
            return Flight(answer, leaf)
        if event.kind == CERTIFICATE:
            leaf = _leaf(event.body)
    raise Unclear("a first flight without end")


def told(event: Event) -> str:
    """What happened, in words: the server ..."""
    if isinstance(event, FatalAlert):
        return f"ended with the alert {alert_name(event.description)}"
    if isinstance(event, Ended):
        return event.how
    return "went on as nobody should"


def _hello(event: Event, offer: Offer) -> ServerHello:
    if not isinstance(event, Message) or event.kind != SERVER_HELLO:
        raise Unclear(f"{told(event)} instead of a ServerHello")
    try:
        hello = parse_server_hello(event.body)
    except Malformed as flaw:
        raise Unclear(f"sent a ServerHello that is none: {flaw}") from flaw
    if hello.version != offer.version or hello.suite not in offer.suites:
        raise Unclear("chose what was not offered")
    return hello


def _leaf(body: bytes) -> bytes | None:
    try:
        certificates = Reader(Reader(body).vector(3))
        return certificates.vector(3) if certificates.left else None
    except Malformed as flaw:
        raise Unclear(f"sent certificates that are none: {flaw}") from flaw
