"""A host whose posture has been measured, and a scanner that answers as it should."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.world import SECOND, World, only_request
from vigilo.events.envelope import Event
from vigilo.events.posture import Posture, PostureOrigin, PostureSource
from vigilo.events.scans import Depth, ScanRequested

HOUR = timedelta(hours=1)


CHECKED, CARRIED = PostureSource.CHECKED, PostureSource.CARRIED


# What a light scan of inputs.posture() sees; and of a server that has lost TLS 1.3.
AS_EVER = {"tls_version": "TLSv1.3", "cipher_suite": "TLS_AES_128_GCM_SHA256", "address": "192.0.2.1"}


LESSER = {**AS_EVER, "tls_version": "TLSv1.2", "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}


def watched(**host: Any) -> World:
    """A host whose posture has been measured, at NOON and a second."""
    world = World()
    first = only_request(world.host(**host))
    world.answer(only_request(world.answer_lightly(first, at=NOON + SECOND)), at=NOON + 2 * SECOND)
    return world


def slots(world: World, *, until: datetime, **answer: Any) -> list[ScanRequested]:
    """The slots asked for until then, each answered as a scanner would: checked, measured or carried."""
    asked = []
    while (due := world.decision.next_at) is not None and due <= until:
        asked.append(only_request(world.wake(at=due)))
        world.hear("snapshots", seen_by_scanner(asked[-1], **answer), at=due + SECOND)
    return asked


def seen_by_scanner(asked: ScanRequested, **changes: Any) -> Event:
    fields: dict[str, Any] = {"reason": asked.reason, "depth": asked.depth, **AS_EVER}
    if asked.depth is Depth.FULL:
        fields |= inputs.measured(asked)
    elif asked.baseline is not None and asked.baseline.posture is not None:
        source = CHECKED if asked.depth is Depth.POSTURE else CARRIED
        fields |= {"posture": asked.baseline.posture, "posture_origin": repeated(asked, source)}
    target, at = asked.target, asked.requested_at
    return inputs.snapshot(scan_id=asked.scan_id, target=target, requested_at=at, **{**fields, **changes})


def repeated(asked: ScanRequested, source: PostureSource) -> PostureOrigin:
    assert asked.baseline is not None
    known = asked.baseline.posture_origin
    assert known is not None
    checked_at = asked.requested_at if source is CHECKED else known.checked_at
    return known.model_copy(update={"source": source, "checked_at": checked_at})


def baseline_posture(world: World) -> Posture | None:
    assert world.known is not None
    return None if world.known.baseline is None else world.known.baseline.posture
