"""What a snapshot teaches: the baseline that the next request repeats, and whether the posture is in doubt. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.scheduler.state import DeepScans
from services.scheduler.turn import Turn
from vigilo.events.posture import Posture, PostureSource
from vigilo.events.scans import Baseline, Depth, Outcome, Snapshot
from vigilo.tls.posture.contradiction import Contradiction, contradiction, is_believable

_THROTTLED_FOR = timedelta(hours=24)


def learn(turn: Turn, given: Snapshot, *, newest: bool, waited: bool) -> None:
    """Keeps what a performed scan found; of another peer than the host's, nothing. `waited`: it was asked for.

    A posture counts by its own order: a full scan takes longer than the light ones asked for after it.
    """
    known = turn.known
    if known is None or known.host.target().peer != given.target.peer:
        return
    baseline = known.baseline
    if newest and given.outcome is Outcome.OK and given.chain:
        baseline = _with_chain(baseline, given)
    if _has_newer_posture(baseline, given):
        baseline = _with_posture(baseline, given)
    if waited and known.deep.scan_id == given.scan_id and given.outcome is Outcome.OK and baseline is not None:
        baseline = _with_transcript(baseline, given)
    asked = known.deep.depth if waited and known.deep.scan_id == given.scan_id else Depth.LIGHT
    deep = _remembered(known.deep, given, asked, at=turn.at)
    if baseline is not known.baseline or deep != known.deep:
        turn.known = known.model_copy(update={"baseline": baseline, "deep": deep})
    if given.outcome is Outcome.OK and (deep.owed or _is_in_doubt(baseline, deep, given)):
        turn.unproved = given.scan_id


def _with_chain(old: Baseline | None, given: Snapshot) -> Baseline:
    if old is not None and (old.chain_sha256, old.detected_protocol) == (given.chain_sha256, given.protocol):
        return old
    return _begun(old, given).model_copy(
        update={
            "scan_id": given.scan_id,
            "requested_at": given.requested_at,
            "chain_sha256": given.chain_sha256,
            "detected_protocol": given.protocol,
        }
    )


def _with_posture(old: Baseline | None, given: Snapshot) -> Baseline:
    return _begun(old, given).model_copy(
        update={
            "posture": given.posture,
            "posture_origin": given.posture_origin,
            "address_postures": given.address_postures,
        }
    )


def _with_transcript(old: Baseline, given: Snapshot) -> Baseline:
    """Where the enumeration stands; a snapshot without one has finished it, or found its answers worthless."""
    return old if old.transcript == given.transcript else old.model_copy(update={"transcript": given.transcript})


def _begun(old: Baseline | None, given: Snapshot) -> Baseline:
    return Baseline(scan_id=given.scan_id, requested_at=given.requested_at) if old is None else old


def _has_newer_posture(baseline: Baseline | None, given: Snapshot) -> bool:
    origin = given.posture_origin
    if origin is None or origin.source is PostureSource.CARRIED or given.throttled or not is_believable(given.posture):
        return False
    known = None if baseline is None else baseline.posture_origin
    return known is None or given.requested_at > known.checked_at


def _remembered(deep: DeepScans, given: Snapshot, asked: Depth, *, at: datetime) -> DeepScans:
    if given.throttled:
        return deep.model_copy(update={"throttled_until": at + _THROTTLED_FOR, "owed": False})
    if _has_measured(given):
        tolerated = _contradicted(given.posture, given.address_postures, given)
        changes = {"fruitless": 0, "owed": False, "throttled_until": None, "tolerated": tolerated}
        return deep.model_copy(update={**changes, "full_at": max(deep.full_at or at, given.requested_at)})
    if asked is not Depth.FULL or given.transcript is not None:
        return deep
    if given.outcome is Outcome.OK:
        return deep.model_copy(update={"owed": False, "fruitless": deep.fruitless + 1})
    # The host was not there to be asked.
    return deep.model_copy(update={"owed": False, "full_at": None})


def _has_measured(given: Snapshot) -> bool:
    origin = given.posture_origin
    return origin is not None and origin.source is PostureSource.MEASURED and is_believable(given.posture)


def _is_in_doubt(baseline: Baseline | None, deep: DeepScans, given: Snapshot) -> bool:
    """True when no posture is known, or this handshake shows that it is not what it was."""
    if baseline is None or baseline.posture is None:
        return True
    if given.depth is not Depth.LIGHT:
        return False
    found = _contradicted(baseline.posture, baseline.address_postures, given)
    return found is not None and found is not deep.tolerated


def _contradicted(posture: Posture | None, of_addresses: tuple[Posture, ...], given: Snapshot) -> Contradiction | None:
    if posture is None:
        return None
    own = next((one for one in of_addresses if one.address == given.address), None)
    judged = own or posture
    return contradiction(
        judged,
        version=given.tls_version,
        suite=given.cipher_suite,
        group=given.group,
        # A posture merged of several addresses claims nothing about the best version of each.
        same_address=judged.address == given.address and (own is not None or not of_addresses),
    )
