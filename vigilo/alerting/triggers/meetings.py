"""What the end of a scan says of two questions: is the host unreachable, and is this not TLS? One table.

Every outcome has a line. An answer that rests on nothing the host did is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import View
from vigilo.events.scans import Outcome

_YES, _NO, _UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN


@dataclass(frozen=True, slots=True)
class Meeting:
    """The two answers, and the outcome as people say it."""

    unreachable: Judgement
    not_tls: Judgement
    words: str


UNSEEN = Meeting(_UNKNOWN, _UNKNOWN, "not known")

MEETINGS: Mapping[Outcome, Meeting] = MappingProxyType(
    {
        Outcome.OK: Meeting(_NO, _NO, "TLS was spoken"),
        # The DNS says that there is no such name: no client gets further than we did.
        Outcome.NAME_NOT_FOUND: Meeting(_YES, _UNKNOWN, "the name does not exist"),
        # Mostly the zone's own servers or its signatures, and then nobody reaches the host. Our resolver would fail for
        # many hosts at once, which makes the pool suspect; a blip of it is over before the third confirmation.
        Outcome.DNS_FAILURE: Meeting(_YES, _UNKNOWN, "the name could not be resolved"),
        Outcome.DNS_TIMEOUT: Meeting(_YES, _UNKNOWN, "no answer from DNS"),
        # No connection.
        Outcome.REFUSED: Meeting(_YES, _UNKNOWN, "connection refused"),
        Outcome.UNREACHABLE: Meeting(_YES, _UNKNOWN, "no route to the host"),
        Outcome.CONNECT_TIMEOUT: Meeting(_YES, _UNKNOWN, "no answer to the connection attempt"),
        # A connection, but no answer to the handshake: a balancer without servers behind it does exactly that. Nothing
        # was said, so nobody knows whether it would have been TLS.
        Outcome.TLS_TIMEOUT: Meeting(_YES, _UNKNOWN, "connected, but fell silent"),
        Outcome.RESET: Meeting(_YES, _UNKNOWN, "connected, but was reset without an answer"),
        Outcome.CLOSED: Meeting(_YES, _UNKNOWN, "connected, but was closed without an answer"),
        # An alert is TLS, and so is a handshake that our library would not go through with.
        Outcome.TLS_ALERT: Meeting(_NO, _NO, "the server ended the handshake with an alert"),
        Outcome.TLS_FAILURE: Meeting(_NO, _NO, "the handshake failed"),
        # Something answered, in another language.
        Outcome.NOT_TLS: Meeting(_NO, _YES, "what answers does not speak TLS"),
        Outcome.STARTTLS_REFUSED: Meeting(_NO, _YES, "the server refused STARTTLS"),
        # A guard turned us away, not the host its clients. Nobody looked, or our own rules forbid it.
        Outcome.THROTTLED: Meeting(_UNKNOWN, _UNKNOWN, "the server turned the scanner away"),
        Outcome.DENIED: Meeting(_UNKNOWN, _UNKNOWN, "our own rules forbid the address"),
        Outcome.NOT_PERFORMED: Meeting(_UNKNOWN, _UNKNOWN, "no scanner took the scan"),
    }
)


def meeting(view: View) -> Meeting:
    """What the last scan met; unknown before a first one, and of a pool that has lost its own network."""
    known = view.known
    return UNSEEN if known is None or known.pool_suspect else MEETINGS[known.outcome]
