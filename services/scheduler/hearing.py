"""What each kind of input says about a host's schedule; nothing here looks at what is due. Pure."""

from __future__ import annotations

from services.scheduler import rechecks
from services.scheduler.learning import learn
from services.scheduler.planning import slot_at
from services.scheduler.state import Confirming, KnownHost, Order, Retry, Schedule, WaitingCommand
from services.scheduler.turn import Ask, Turn
from vigilo.events import ids
from vigilo.events.hosts import Host, HostCommand, HostCommandKind, HostStatus
from vigilo.events.scans import Outcome, ScanReason, Snapshot

SCANNING = frozenset({HostCommandKind.SCAN, HostCommandKind.REJUDGE})


def host(turn: Turn, new: Host) -> None:
    """A version of the host record; one that is not greater than the last is dropped."""
    if new.version <= turn.row.version:
        return
    match new.status:
        case HostStatus.DELETED:
            # Kept until the tombstone, so that what is still under way meets a row that says "deleted".
            turn.row = Schedule(workspace_id=new.workspace_id, version=new.version, status=new.status)
            turn.known = None
        case HostStatus.PAUSED:
            _remember(turn, new)
            turn.become(retry=None, command=None)
        case HostStatus.ACTIVE:
            _watch(turn, new)


def _watch(turn: Turn, new: Host) -> None:
    reason = _reason(turn, new)
    _remember(turn, new)
    if reason is not None:
        scan_id = ids.caused_scan_id(new.host_id, f"{reason}/{new.version}")
        # The slot that is running has its scan with this one.
        turn.become(slot=max(turn.row.slot, slot_at(new.host_id, new.interval, turn.at)))
        turn.ask(Ask(scan_id=scan_id, reason=reason, nominal=new.updated_at))


def _reason(turn: Turn, new: Host) -> ScanReason | None:
    """Why this version of an active host must be looked at right now."""
    if turn.known is None or turn.row.status is None:
        return ScanReason.FIRST
    if turn.row.status is HostStatus.PAUSED:
        return ScanReason.RESUMED
    old = turn.known.host
    return ScanReason.EDITED if old.target().peer != new.target().peer or old.trust is not new.trust else None


def _remember(turn: Turn, new: Host) -> None:
    known = turn.known
    if known is None or known.host.interval is not new.interval:
        turn.become(epoch=new.version, slot=slot_at(new.host_id, new.interval, turn.at))
    same_peer = known is not None and known.host.target().peer == new.target().peer
    if known is not None and same_peer:
        turn.known = known.model_copy(update={"host": new})
    else:
        turn.known = KnownHost(host=new, confirming=Confirming() if known is None else known.confirming)
    if not same_peer or HostStatus.PAUSED in {turn.row.status, new.status}:
        rechecks.begin_anew(turn, new.version)
    turn.become(workspace_id=new.workspace_id, version=new.version, status=new.status)
    if not same_peer:
        # Their answers would be about another peer; the scan that the edit asks for stands for them.
        turn.become(outstanding=(), retry=None)


def command(turn: Turn, given: HostCommand) -> None:
    """ "Scan now" waits in the row. A newer one replaces it: one scan answers both, as deep as either."""
    if given.kind in SCANNING and turn.row.status is not HostStatus.DELETED:
        before = turn.row.command
        light = given.kind is HostCommandKind.REJUDGE and (before is None or before.light)
        waiting = WaitingCommand(command_id=given.command_id, host_version=given.host_version, at=given.at, light=light)
        turn.become(command=waiting)


def snapshot(turn: Turn, given: Snapshot) -> None:
    """A scan has ended. Our own `not-performed` comes back too: nobody waits for it any more, it changes nothing."""
    waited = turn.forget(given.scan_id)
    if given.outcome is Outcome.NOT_PERFORMED:
        if waited:
            turn.unperformed(given.scan_id)
            ask_again(turn, reason=given.reason, of=given)
        return
    newest = turn.row.seen is None or given.order > (turn.row.seen.requested_at, turn.row.seen.scan_id)
    if newest or (turn.row.retry is not None and turn.row.retry.of == given.scan_id):
        turn.become(retry=None)
    if newest and turn.row.status is not HostStatus.DELETED:
        turn.become(seen=Order(requested_at=given.requested_at, scan_id=given.scan_id))
    if waited:
        rechecks.heed(turn, given)
    if newest or waited:
        learn(turn, given, newest=newest, waited=waited)


def ask_again(turn: Turn, *, reason: ScanReason, of: Order | Snapshot) -> None:
    """Nobody has performed that scan. The turn of paced questions comes by itself."""
    if reason is ScanReason.PACED or (
        reason is ScanReason.RECHECK and rechecks.repeat(turn, after=turn.timing.retry_after)
    ):
        return
    plan_retry(turn, of=of)


def plan_retry(turn: Turn, *, of: Order | Snapshot) -> None:
    """Asks again after a while, unless another scan is already asked for; the next slot may come first."""
    if turn.active and not turn.row.outstanding:
        turn.become(retry=Retry(due=turn.at + turn.timing.retry_after, of=of.scan_id))
