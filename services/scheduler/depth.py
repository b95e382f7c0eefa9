"""How deep the next scan of a host looks (docs/architecture.md, "Depths"). Pure.

Never two deep scans at once, none against the owner's or the server's will, and none of ours more often than it can
bring news. Whoever asks for anything else than a slot, a command or a baseline gets a light scan; rechecks.py says what
rechecks get.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.scheduler.planning import slot_at, slot_start
from services.scheduler.state import DeepScans, Outstanding
from services.scheduler.turn import Turn, lane_of
from vigilo.events.hosts import Interval, Probing, Protocol
from vigilo.events.scans import Baseline, Depth, Lane

_CHECK_EVERY = timedelta(hours=1)
_CHECK_EVERY_STARTTLS = timedelta(hours=6)  # mail servers log every dialogue that leads to nothing
_MEASURED_APART = timedelta(hours=12)
_FULL_APART = timedelta(hours=1)
_FULL_APART_MAX = timedelta(hours=24)
_DAILY = Interval.H24


def for_slot(turn: Turn, start: datetime) -> Depth:
    """The depth of the slot that begins at `start`: what is old is measured or checked again.

    Without a posture it is light: its snapshot then asks for a full one, if the host speaks TLS at all.
    """
    known = turn.known
    origin = None if known is None or known.baseline is None else known.baseline.posture_origin
    if known is None or known.baseline is None or origin is None or not _may_look_deeper(turn):
        return Depth.LIGHT
    if start >= _measured_again(turn, origin.measured_at) and _is_spaced(known.deep, start):
        return Depth.FULL
    last = max(origin.checked_at, known.deep.asked_at or origin.checked_at)
    return Depth.POSTURE if start - last >= _check_every(known.baseline) else Depth.LIGHT


def for_command(turn: Turn) -> Depth:
    """A person's "scan now" is full. While a deep one waits on the slow lane it is light; the full one follows that."""
    if _may_look_deeper(turn):
        return Depth.FULL
    if is_permitted(turn):
        turn.remember(owed=True)
    return Depth.LIGHT


def may_measure(turn: Turn) -> bool:
    """True when a full scan of our own accord may be asked for right now."""
    known = turn.known
    return known is not None and _may_look_deeper(turn) and (known.deep.owed or _is_spaced(known.deep, turn.at))


def under_way(turn: Turn) -> Outstanding | None:
    """The deep scan that is asked for and not yet seen.

    What the clock asks for waits for it: a request made now would carry the posture of before, and its snapshot, if it
    came second, would take back what the deep one had found.
    """
    known = turn.known
    if known is None:
        return None
    return next((one for one in turn.row.outstanding if one.scan_id == known.deep.scan_id), None)


def is_awaited(turn: Turn) -> bool:
    """True while a deep scan is under way on the fast lane: "scan now" waits for its end, too."""
    deep = under_way(turn)
    return deep is not None and lane_of(deep.reason) is Lane.NOW


def _may_look_deeper(turn: Turn) -> bool:
    return is_permitted(turn) and under_way(turn) is None


def is_permitted(turn: Turn) -> bool:
    """True unless the owner allows handshakes only, or the server has had enough of our questions."""
    known = turn.known
    if known is None or known.host.probing is not Probing.FULL:
        return False
    return known.deep.throttled_until is None or turn.at >= known.deep.throttled_until


def _is_spaced(deep: DeepScans, at: datetime) -> bool:
    """True when the last full scan is an hour ago; twice as long after each that brought nothing, a day at most."""
    if deep.full_at is None:
        return True
    doublings = min(max(deep.fruitless - 1, 0), 5)
    return at - deep.full_at >= min(_FULL_APART * (1 << doublings), _FULL_APART_MAX)


def _measured_again(turn: Turn, measured_at: datetime) -> datetime:
    """When a posture is measured anew: each day at the host's own time of day, so that hosts added together part."""
    assert turn.known is not None
    host_id = turn.known.host.host_id
    return slot_start(host_id, _DAILY, slot_at(host_id, _DAILY, measured_at + _MEASURED_APART) + 1)


def _check_every(baseline: Baseline) -> timedelta:
    plain = baseline.detected_protocol in {None, Protocol.TLS, Protocol.AUTO}
    return _CHECK_EVERY if plain else _CHECK_EVERY_STARTTLS
