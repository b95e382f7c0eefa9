"""Rechecks: a transition that must be confirmed does not wait for the host's next slot. Pure.

The alerter says how many more scans with the same answer it needs; they are asked for one at a time, `recheck_spacing`
apart. One scan serves all alerts of its host that wait. A recheck that brought no answer (nobody performed it, or the
pool's own network is in doubt) does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.scheduler import depth, pacing
from services.scheduler.state import Recheck
from services.scheduler.turn import Ask, Turn
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.scans import Depth, Lane, ScanReason, Snapshot

# More alerts of one host than this share the rechecks of those that need most.
ALERTS_MAX = 8
# The slots have gone on meanwhile. A scheduler that reads `alerts` for the first time meets years of them.
_STALE = timedelta(hours=1)
# What these answer depends on more than a handshake shows.
_DEEPER = frozenset({"grade-below", "protocol-below"})
# People's doings and repetitions say nothing of the host: what has to be confirmed still has.
_NO_NEWS = frozenset({TransitionKind.ACKNOWLEDGED, TransitionKind.REMINDER})


def hear(turn: Turn, given: AlertTransition) -> None:
    """Begins rechecks, or ends those of the alert. What comes again or late changes nothing."""
    if turn.known is None or given.kind in _NO_NEWS:
        return
    before = turn.known.confirming
    known = next((one for one in before.rechecks if one.alert_id == given.alert_id), None)
    if known is not None and given.n <= known.n:
        return
    overtaken = before.heard_at is not None and given.at < before.heard_at
    # Its number stays, so that what comes before it, but later, is known for that.
    ended = tuple(one._replace(n=given.n, left=0, asked=0) if one is known else one for one in before.rechecks)
    turn.confirm(rechecks=ended)
    if not overtaken:
        turn.confirm(heard_at=given.at)
        if given.scans_to_confirm and _concerns_the_host(turn, given):
            _begin(turn, given)


def begin_anew(turn: Turn, version: int) -> None:
    """The host is paused, resumed, or another peer, from this version on: what was before needs no confirming."""
    turn.confirm(since=version, rechecks=tuple(one for one in _all(turn) if one.host_version >= version))


def repeat(turn: Turn, *, after: timedelta) -> bool:
    """The recheck just heard of has answered nothing: one more, not before `after`. False if nobody needs it."""
    again = tuple(one._replace(left=one.left + 1) if one.asked else one for one in _all(turn))
    if any(one.asked for one in again):
        turn.confirm(rechecks=again, due=turn.at + after)
    return is_wanted(turn)


def heed(turn: Turn, given: Snapshot) -> None:
    """The snapshot of a recheck that somebody performed: of a pool in doubt it is no answer."""
    if given.reason is ScanReason.RECHECK and given.pool_suspect:
        repeat(turn, after=turn.timing.recheck_spacing)


def is_wanted(turn: Turn) -> bool:
    """True while rechecks of the host are still to be asked for."""
    return any(_wanting(turn))


def next_at(turn: Turn) -> datetime | None:
    """When the next recheck is due; None while there is none, or another scan must be seen first."""
    if turn.known is None or not is_wanted(turn) or _must_wait(turn):
        return None
    return turn.known.confirming.due


def ask_if_due(turn: Turn) -> None:
    """Asks for one, unless the pool is in doubt."""
    due, known = next_at(turn), turn.known
    if due is None or due > turn.at or known is None:
        return
    if turn.traffic.is_suspect(known.host.pool, at=turn.at):
        turn.confirm(due=turn.at + turn.timing.recheck_spacing)
        return
    cause = next(_wanting(turn))
    transition = ids.transition_id(cause.alert_id, cause.n)
    scan_id = ids.caused_scan_id(known.host.host_id, f"{ScanReason.RECHECK}/{transition}/{cause.asked + 1}")
    looks = _depth(turn)
    turn.confirm(rechecks=tuple(_asked(turn, one) for one in _all(turn)), due=turn.at + turn.timing.recheck_spacing)
    lane = turn.traffic.recheck_lane(known.host.pool, at=turn.at)
    turn.ask(Ask(scan_id=scan_id, reason=ScanReason.RECHECK, nominal=turn.at, depth=looks, fast=lane is Lane.NOW))


def _begin(turn: Turn, given: AlertTransition) -> None:
    began = min(given.at, turn.at)
    if turn.at - began > _STALE:
        return
    new = Recheck(
        alert_id=given.alert_id,
        n=given.n,
        left=given.scans_to_confirm,
        deeper=given.rule.trigger.kind in _DEEPER,
        host_version=given.host.version,
    )
    due = began + turn.timing.recheck_spacing
    others = tuple(one for one in _all(turn) if one.alert_id != given.alert_id)
    before = None if turn.known is None else turn.known.confirming.due
    if before is not None:
        due = before if is_wanted(turn) else max(before, due)
    turn.confirm(rechecks=_fewest_left_out((*others, new)), due=due)


def _fewest_left_out(all_: tuple[Recheck, ...]) -> tuple[Recheck, ...]:
    if len(all_) <= ALERTS_MAX:
        return all_
    least = min(all_, key=lambda one: one.left)
    return tuple(one for one in all_ if one is not least)


def _concerns_the_host(turn: Turn, given: AlertTransition) -> bool:
    """A transition of a version not yet read waits for it; one of a former peer, or of before a pause, is of no use."""
    if given.host.version > turn.row.version:
        return True
    return turn.active and turn.known is not None and given.host.version >= turn.known.confirming.since


def _all(turn: Turn) -> tuple[Recheck, ...]:
    return () if turn.known is None else turn.known.confirming.rechecks


def _wanting(turn: Turn) -> Iterator[Recheck]:
    return (one for one in _all(turn) if one.left and one.host_version <= turn.row.version)


def _must_wait(turn: Turn) -> bool:
    """One recheck at a time; and a deep scan must be seen first, as by all the clock asks for."""
    return depth.under_way(turn) is not None or any(one.reason is ScanReason.RECHECK for one in turn.row.outstanding)


def _asked(turn: Turn, one: Recheck) -> Recheck:
    if not one.left or one.host_version > turn.row.version:
        return one
    return one._replace(left=one.left - 1, asked=one.asked + 1)


def _depth(turn: Turn) -> Depth:
    """What the alerts need to be judged; mail servers have no posture checks (docs/decisions/0016)."""
    baseline = None if turn.known is None else turn.known.baseline
    needs = any(one.deeper for one in _wanting(turn)) and baseline is not None and baseline.posture is not None
    return Depth.POSTURE if needs and depth.is_permitted(turn) and not pacing.is_paced(turn) else Depth.LIGHT
