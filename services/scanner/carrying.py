"""Which posture a snapshot tells of: what this scan found, or what its baseline knew. Pure.

A host's letter may not depend on how deep the last scan looked: whenever the peer spoke TLS and this scan learned
nothing better, the baseline's posture is repeated, and the origin says so.
"""

from __future__ import annotations

from typing import Any

from services.scanner.sightings import PostureSeen
from vigilo.events.posture import PostureOrigin, PostureSource
from vigilo.events.scans import Baseline, Depth, Outcome, ScanRequested
from vigilo.tls.posture.contradiction import is_believable
from vigilo.tls.posture.merge import merge

# Servers older than our TLS library speak it all the same.
SPEAK_TLS = frozenset({Outcome.OK, Outcome.TLS_ALERT, Outcome.TLS_FAILURE})


def posture_fields(request: ScanRequested, outcome: Outcome, deeper: PostureSeen) -> dict[str, Any]:
    """The fields of Snapshot that tell of depth and posture. `outcome` is that of the host's handshake."""
    done = {"depth": deeper.depth, "throttled": deeper.throttled}
    baseline = request.baseline
    if baseline is None or baseline.posture is None:
        return {**done, **_found(request, deeper)}
    if deeper.throttled:
        # Its rejections mean nothing, and what it accepted is known already or will be seen by the next full scan.
        return {**done, **_repeated(baseline, PostureSource.CARRIED)}
    if deeper.depth is Depth.FULL and (outcome is not Outcome.OK or _says_something(deeper)):
        return {**done, **_found(request, deeper)}
    if deeper.depth is Depth.POSTURE:
        return {**done, **_repeated(baseline, PostureSource.CHECKED, request)}
    return {**done, **_repeated(baseline, PostureSource.CARRIED)} if outcome in SPEAK_TLS else done


def _says_something(deeper: PostureSeen) -> bool:
    return bool(deeper.postures) and is_believable(merge(deeper.postures))


def _found(request: ScanRequested, deeper: PostureSeen) -> dict[str, Any]:
    if not deeper.postures:
        return {}
    at = request.requested_at
    return {
        "posture": merge(deeper.postures),
        "posture_origin": PostureOrigin(
            source=PostureSource.MEASURED, scan_id=request.scan_id, measured_at=at, checked_at=at
        ),
        "address_postures": deeper.postures if len(deeper.postures) > 1 else (),
    }


def _repeated(baseline: Baseline, source: PostureSource, checked_by: ScanRequested | None = None) -> dict[str, Any]:
    """The baseline's posture; `checked_by` is the request whose scan proved it unchanged."""
    known = baseline.posture_origin
    measured_at = baseline.requested_at if known is None else known.measured_at
    checked_at = measured_at if known is None else known.checked_at
    origin = PostureOrigin(
        source=source,
        scan_id=baseline.scan_id if known is None else known.scan_id,
        measured_at=measured_at,
        checked_at=checked_at if checked_by is None else checked_by.requested_at,
    )
    return {
        "posture": baseline.posture,
        "posture_origin": origin,
        "address_postures": baseline.address_postures,
    }
