"""Mail servers are asked a few questions at a time, between their slots, until their posture is whole. Pure.

A full scan in one go would be their watchdogs' reason to ban us (docs/decisions/0016). A person may ask for one all the
same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from services.scheduler import depth
from services.scheduler.state import KnownHost
from services.scheduler.turn import Ask, Turn
from vigilo.events import ids
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Depth, ScanReason
from vigilo.tls.starttls.mail import MailService, mail_service

MEASURED_AGAIN_AFTER = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Pace:
    """`questions` at a time, once in about `every`."""

    questions: int
    every: timedelta


PACES: Mapping[MailService, Pace] = MappingProxyType(
    {
        MailService.TRANSPORT: Pace(3, timedelta(minutes=15)),
        # The handshake before the questions is a line in a mailbox server's log, too.
        MailService.MAILBOX: Pace(2, timedelta(minutes=30)),
    }
)


def is_paced(turn: Turn) -> bool:
    """True for hosts that are never enumerated or checked in one go unless a person wants it."""
    return _pace(turn.known) is not None


def next_at(turn: Turn) -> datetime | None:
    """When the next questions are due; None while there are none, or others are under way."""
    known = turn.known
    pace = _pace(known)
    if known is None or pace is None or known.baseline is None:
        return None
    if not depth.is_permitted(turn) or depth.under_way(turn) is not None:
        return None
    asked_at = known.deep.asked_at
    spaced = turn.at if asked_at is None else asked_at + _apart(pace, known.deep.scan_id)
    origin, transcript = known.baseline.posture_origin, known.baseline.transcript
    if origin is None or transcript is not None:
        return spaced
    return max(spaced, origin.measured_at + MEASURED_AGAIN_AFTER)


def ask_if_due(turn: Turn) -> None:
    """Asks for the next few answers."""
    due = next_at(turn)
    if due is not None and due <= turn.at:
        ask(turn)


def ask_in_doubt(turn: Turn) -> None:
    """A handshake has shown that the posture is not what it was: a new one is begun, though not in a hurry."""
    known, pace = turn.known, _pace(turn.known)
    if known is None or pace is None or not depth.is_permitted(turn) or depth.under_way(turn) is not None:
        return
    if known.deep.asked_at is None or turn.at >= known.deep.asked_at + _apart(pace, known.deep.scan_id):
        ask(turn)


def ask(turn: Turn) -> None:
    """One scan with a few questions. Needs a host that is paced."""
    known, pace = turn.known, _pace(turn.known)
    if known is None or pace is None:
        raise LookupError("only mail servers are asked a few questions at a time")
    scan_id = ids.caused_scan_id(known.host.host_id, f"{ScanReason.PACED}/{known.deep.scan_id}")
    turn.ask(
        Ask(
            scan_id=scan_id,
            reason=ScanReason.PACED,
            nominal=turn.at,
            depth=Depth.FULL,
            probes_max=pace.questions,
        )
    )


def _pace(known: KnownHost | None) -> Pace | None:
    if known is None:
        return None
    host, baseline = known.host, known.baseline
    asked = None if host.protocol is Protocol.AUTO else host.protocol
    detected = None if baseline is None else baseline.detected_protocol
    service = mail_service(host.port, detected or asked)
    return None if service is None else PACES[service]


def _apart(pace: Pace, scan_id: UUID | None) -> timedelta:
    """Between 0.8 and 1.2 times the pace: ports of one machine that were added together take their turns by chance."""
    digest = hashlib.blake2b(b"" if scan_id is None else scan_id.bytes, digest_size=4).digest()
    return pace.every * (0.8 + 0.4 * int.from_bytes(digest, "big") / 2**32)
