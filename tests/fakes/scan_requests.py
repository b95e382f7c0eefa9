"""Scan requests for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from vigilo.events.hosts import Target
from vigilo.events.ids import new_id
from vigilo.events.scans import Baseline, Depth, Lane, ScanReason, ScanRequested


def light_request(
    hostname: str = "127.0.0.1",
    port: int = 443,
    *,
    lane: Lane = Lane.NOW,
    baseline: Baseline | None = None,
    **target: Any,
) -> ScanRequested:
    """A light scan asked for now, good for a minute; `target` adds fields of Target (address, sni, protocol ...)."""
    now = datetime.now(UTC)
    return ScanRequested(
        scan_id=new_id(),
        target=Target(workspace_id=new_id(), host_id=new_id(), host_version=1, hostname=hostname, port=port, **target),
        depth=Depth.LIGHT,
        reason=ScanReason.FIRST,
        lane=lane,
        requested_at=now,
        not_after=now + timedelta(seconds=60),
        baseline=baseline,
    )


def full_request(hostname: str = "127.0.0.1", port: int = 443, **target: Any) -> ScanRequested:
    """The same, but full."""
    return light_request(hostname, port, **target).model_copy(update={"depth": Depth.FULL})
