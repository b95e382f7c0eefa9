"""Everything the clock asks of a host's schedule: scans nobody performed, commands, slots, retries. Pure.

After `catch_up` nothing is due any more, so `next_at` lies in the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.scheduler import depth, pacing, rechecks
from services.scheduler.hearing import ask_again
from services.scheduler.planning import slot_at, slot_start
from services.scheduler.state import Order
from services.scheduler.turn import Ask, Turn
from vigilo.events import ids
from vigilo.events.hosts import HostStatus
from vigilo.events.scans import Depth, ScanReason

NOBODY = "no scanner took the request in time"


def catch_up(turn: Turn) -> None:
    """Does all that is due."""
    _end_overdue(turn)
    _answer_command(turn)
    if turn.active:
        _ask_for_slot(turn)
        _retry(turn)
        _ask_for_baseline(turn)
        rechecks.ask_if_due(turn)
        if not rechecks.is_wanted(turn):
            pacing.ask_if_due(turn)


def next_at(turn: Turn) -> datetime | None:
    """The host's one timer: the earliest instant at which something becomes due."""
    return min(_instants(turn), default=None)


def _instants(turn: Turn) -> Iterator[datetime]:
    row = turn.row
    for one in row.outstanding:
        yield one.not_after + turn.timing.grace
    if not turn.active or turn.known is None:
        return
    host = turn.known.host
    if depth.under_way(turn) is None:
        yield slot_start(host.host_id, host.interval, row.slot + 1)
    if row.retry is not None:
        yield row.retry.due
    asked = rechecks.next_at(turn) if rechecks.is_wanted(turn) else pacing.next_at(turn)
    if asked is not None:
        yield asked
    if row.command is not None and row.command.host_version <= row.version and not depth.is_awaited(turn):
        yield _command_due(turn)


def _end_overdue(turn: Turn) -> None:
    for one in turn.row.outstanding:
        if turn.at >= one.not_after + turn.timing.grace:
            turn.give_up(one, NOBODY)
            ask_again(turn, reason=one.reason, of=Order(requested_at=one.requested_at, scan_id=one.scan_id))


def _answer_command(turn: Turn) -> None:
    command = turn.row.command
    if command is None or turn.row.version < command.host_version:
        return
    if not turn.active:
        turn.become(command=None)
    elif _command_due(turn) > turn.at:
        if not command.light and any(one.reason is ScanReason.COMMAND for one in turn.row.outstanding):
            # Asked for seconds ago and not yet back: that scan answers this command too. A rejudgement it does not:
            # its snapshot may be on its way to a grader that still had the anchors of before.
            turn.become(command=None)
    elif not depth.is_awaited(turn):
        turn.become(command=None, commanded_at=turn.at)
        turn.ask(
            Ask(
                scan_id=ids.command_scan_id(command.command_id),
                reason=ScanReason.COMMAND,
                nominal=command.at,
                depth=Depth.LIGHT if command.light else depth.for_command(turn),
                command_id=command.command_id,
            )
        )


def _command_due(turn: Turn) -> datetime:
    last = turn.row.commanded_at
    return turn.at if last is None else last + turn.timing.command_spacing


def _ask_for_slot(turn: Turn) -> None:
    """Asks for the newest slot only: after an outage the older ones would look at the same peer in a row."""
    if turn.known is None or turn.row.status is not HostStatus.ACTIVE or depth.under_way(turn) is not None:
        return
    host = turn.known.host
    slot = slot_at(host.host_id, host.interval, turn.at)
    if slot <= turn.row.slot:
        return
    turn.become(slot=slot)
    start = slot_start(host.host_id, host.interval, slot)
    turn.ask(
        Ask(
            scan_id=ids.slot_scan_id(host.host_id, turn.row.epoch, slot),
            reason=ScanReason.SLOT,
            nominal=start,
            depth=Depth.LIGHT if pacing.is_paced(turn) else depth.for_slot(turn, start),
            slot=slot,
        )
    )


def _retry(turn: Turn) -> None:
    retry = turn.row.retry
    if retry is None or turn.at < retry.due or turn.known is None:
        return
    scan_id = ids.caused_scan_id(turn.known.host.host_id, f"{ScanReason.RETRY}/{retry.of}")
    turn.ask(Ask(scan_id=scan_id, reason=ScanReason.RETRY, nominal=turn.at))


def _ask_for_baseline(turn: Turn) -> None:
    """After the commands and the slot: a full scan that one of them has just asked for answers this question, too."""
    if turn.unproved is None or turn.known is None:
        return
    if pacing.is_paced(turn) and not turn.known.deep.owed:
        pacing.doubt(turn)
        return
    if not depth.may_measure(turn):
        return
    scan_id = ids.caused_scan_id(turn.known.host.host_id, f"{ScanReason.BASELINE}/{turn.unproved}")
    turn.ask(Ask(scan_id=scan_id, reason=ScanReason.BASELINE, nominal=turn.at, depth=Depth.FULL))
