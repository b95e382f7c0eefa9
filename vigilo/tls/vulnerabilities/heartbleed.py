"""Heartbleed, CVE-2014-0160: OpenSSL 1.0.1 to 1.0.1f echoed as many bytes as a heartbeat claimed to hold. Pure.

The same missing check forgot the padding: a heartbeat whose payload is all there and whose padding is missing must be
dropped (RFC 6520 section 4), and the broken versions answer it, with our own bytes. That is asked first and gives
nothing away. Only a server that does answer is asked with a claim of one byte too many, to know rather than guess; of
what comes then nothing but the lengths is read.
"""

from __future__ import annotations

from vigilo.tls.vulnerabilities.exchange import Say, Script
from vigilo.tls.vulnerabilities.finding import Finding, safe, unknown, vulnerable
from vigilo.tls.vulnerabilities.flight import hear_flight, told
from vigilo.tls.vulnerabilities.listening import HEARTBEAT_RECORD, Ended, Event, Heartbeat, Quiet
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.reading import numbers, vector
from vigilo.tls.wire.records import FatalAlert

EXTENSION = {code.HEARTBEAT: b"\x01"}  # peer_allowed_to_send
_REQUEST, _RESPONSE = 1, 2
_PAYLOAD = bytes(16)
_HEAD = 3
_GOODBYE = b"\x15\x03\x01\x00\x02\x01\x00"  # close_notify
NOT_OFFERED = safe("does not offer heartbeats")


def request(version: int, *, claimed: int) -> bytes:
    """A record with a heartbeat of 16 bytes of payload, no padding, and a claim of its own."""
    message = bytes((_REQUEST,)) + numbers((claimed,)) + _PAYLOAD
    return bytes((HEARTBEAT_RECORD,)) + numbers((version,)) + vector(2, message)


def probe_heartbleed(hello: bytes, offer: Offer) -> Script[Finding]:
    """`hello` is the offer, written with EXTENSION. Raises Unclear."""
    flight = yield from hear_flight(hello, offer)
    if code.HEARTBEAT not in flight.hello.extensions:
        return NOT_OFFERED
    event = yield Say(request(offer.version, claimed=len(_PAYLOAD)), hurry=True)
    if isinstance(event, Quiet):
        event = yield Say(_GOODBYE, last=True)
        if _is_response(event):
            return unknown("answered a heartbeat without padding, but too late to ask further")
        return _not_answered(event)
    if not _is_response(event):
        return _not_answered(event)
    claimed = len(_PAYLOAD) + 1
    event = yield Say(request(offer.version, claimed=claimed), hurry=True)
    if isinstance(event, Heartbeat) and event.claimed == claimed and event.length >= _HEAD + claimed:
        return vulnerable(f"sent {claimed} bytes back for a heartbeat of {len(_PAYLOAD)}")
    if isinstance(event, Quiet):
        event = yield Say(_GOODBYE, last=True)
    return _not_answered(event)


def _is_response(event: Event) -> bool:
    return isinstance(event, Heartbeat) and event.kind == _RESPONSE


def _not_answered(event: Event) -> Finding:
    """Only an end that the server chose shows that it had read the heartbeat, and dropped it."""
    if isinstance(event, FatalAlert) or (isinstance(event, Ended) and event.left):
        return safe("drops heartbeats that claim more than they hold")
    return unknown(f"{told(event)} after a heartbeat")
