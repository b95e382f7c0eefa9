"""CCS injection, CVE-2014-0224: OpenSSL before 1.0.1h took a ChangeCipherSpec before there were any keys. Pure.

A right server ends the connection at once. A broken one says nothing, derives keys from an empty secret, and then
cannot decrypt what comes next. Nothing is completed: there are no keys on our side, and no request.
"""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.tls.vulnerabilities.exchange import Say, Script
from vigilo.tls.vulnerabilities.finding import Finding, safe, unknown, vulnerable
from vigilo.tls.vulnerabilities.flight import hear_flight, told
from vigilo.tls.vulnerabilities.listening import Ended, Event, Quiet
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.alerts import alert_name
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.reading import numbers, vector
from vigilo.tls.wire.records import FatalAlert

_CHANGE_CIPHER_SPEC = 20
_CLOSE_NOTIFY, _BAD_RECORD_MAC, _DECRYPTION_FAILED = 0, 20, 21
# Long enough for any cipher's block, nonce and MAC: what fails is the decryption, not a check of the length.
_FOLLOWING_BYTES = 64


@dataclass(frozen=True, slots=True)
class CcsFinding:
    """The finding; `heartbeat` is whether the server offers heartbeats, told by the same ServerHello."""

    finding: Finding
    heartbeat: bool


def record(version: int, content: bytes) -> bytes:
    """A ChangeCipherSpec record."""
    return bytes((_CHANGE_CIPHER_SPEC,)) + numbers((version,)) + vector(2, content)


def probe_ccs(hello: bytes, offer: Offer) -> Script[CcsFinding]:
    """`hello` is the offer. Raises Unclear."""
    flight = yield from hear_flight(hello, offer)
    event = yield Say(record(offer.version, b"\x01"), hurry=True)
    finding = None
    if isinstance(event, Quiet):
        event = yield Say(record(offer.version, b"\x01" * _FOLLOWING_BYTES))
        finding = _accepted(event)
    return CcsFinding(finding or _turned_down(event), code.HEARTBEAT in flight.hello.extensions)


def _accepted(event: Event) -> Finding | None:
    if isinstance(event, FatalAlert) and event.description in {_BAD_RECORD_MAC, _DECRYPTION_FAILED}:
        name = alert_name(event.description)
        return vulnerable(f"took a ChangeCipherSpec before any key, and then could not decrypt ({name})")
    return None


def _turned_down(event: Event) -> Finding:
    if isinstance(event, FatalAlert) and event.description != _CLOSE_NOTIFY:
        return safe(f"turns an early ChangeCipherSpec down with the alert {alert_name(event.description)}")
    if isinstance(event, FatalAlert) or (isinstance(event, Ended) and event.left):
        return safe("closes at an early ChangeCipherSpec")
    return unknown(f"{told(event)} after an early ChangeCipherSpec")
