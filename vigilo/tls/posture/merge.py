"""One posture for a host whose addresses answer differently. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vigilo.events.posture import Posture


def merge(postures: Sequence[Posture]) -> Posture:
    """What a client may meet at any of the addresses. Not for empty sequences."""
    return postures[0]
