"""Mail servers are asked a few questions at a time, between their slots, until their posture is whole. Pure.

A full scan in one go would be their watchdogs' reason to ban us (docs/decisions/0016). A person may ask for one all the
same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from services.scheduler import depth
from services.scheduler.state import KnownHost
from services.scheduler.turn import Ask, Turn
from vigilo.events import ids
from vigilo.events.hosts import Host, Protocol
from vigilo.events.scans import Baseline, Depth, ScanReason
from vigilo.events.transcript import Transcript
from vigilo.tls.starttls.mail import MailService, mail_service

MEASURED_AGAIN_AFTER = timedelta(hours=72)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Questions to one machine are so far apart that the lines they leave never fall into one watchdog's window.
_APART = timedelta(minutes=12)
_LATE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Pace:
    """`questions` at a time. The ports of one machine take turns: one of them every 12 min.

    Which one begins is another each round, so that two names of one machine are not in each other's way for ever.
    """

    questions: int
    ports: tuple[int, ...]

    @property
    def every(self) -> timedelta:
        """One round: every port once."""
        return _APART * len(self.ports)

    def turn_after(self, anchor: datetime, host: Host) -> datetime:
        """The host's first turn after that instant."""
        number = (anchor - _EPOCH) // self.every - 1
        while (at := self._turn(number, host)) <= anchor:
            number += 1
        return at

    def _turn(self, number: int, host: Host) -> datetime:
        phase = _APART * (_digest(host.hostname) / 2**32)
        known = host.port in self.ports
        place = self.ports.index(host.port) if known else _digest(f"{host.hostname}:{host.port}/{number}")
        place += _digest(f"{host.hostname}/{number}")
        return _EPOCH + phase + self.every * number + _APART * (place % len(self.ports))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


PACES: Mapping[MailService, Pace] = MappingProxyType(
    {
        MailService.TRANSPORT: Pace(3, (25, 465, 587)),
        # The handshake before the questions is a line in a mailbox server's log, too.
        MailService.MAILBOX: Pace(2, (143, 993, 110, 995)),
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
    anchor = _anchor(known.baseline, known.deep.asked_at)
    return pace.turn_after(max(anchor, turn.at - _LATE), known.host)


def ask_if_due(turn: Turn) -> None:
    """Asks for the next few answers."""
    due, known = next_at(turn), turn.known
    pace = _pace(known)
    if due is None or due > turn.at or known is None or pace is None:
        return
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


def doubt(turn: Turn) -> None:
    """A handshake has shown that the posture is not what it was: the host's next turn begins a new one."""
    known = turn.known
    if known is None or known.baseline is None or known.baseline.transcript is not None:
        return
    begun = Transcript(begun_at=turn.at, address="", like="")
    turn.known = known.model_copy(update={"baseline": known.baseline.model_copy(update={"transcript": begun})})


def _anchor(baseline: Baseline, asked_at: datetime | None) -> datetime:
    """Nothing is due before it."""
    origin = baseline.posture_origin
    last = asked_at or baseline.requested_at
    whole = origin is not None and baseline.transcript is None
    return max(last, origin.measured_at + MEASURED_AGAIN_AFTER) if origin is not None and whole else last


def _pace(known: KnownHost | None) -> Pace | None:
    if known is None:
        return None
    host, baseline = known.host, known.baseline
    asked = None if host.protocol is Protocol.AUTO else host.protocol
    detected = None if baseline is None else baseline.detected_protocol
    service = mail_service(host.port, detected or asked)
    return None if service is None else PACES[service]
