"""What the base remembers of single keys between events. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class KeyMemory:
    """What the loop remembers of single keys between events, per assignment.

    `unconfirmed`: keys whose row holds an outbox that may never have been emitted, because its input is not yet
    committed. It goes out before anything else replaces it: after a crash another topic's event may come first.
    `deleted`: rows of deleted keys, (partition, key) to the offsets they guard, kept until these are committed.
    `writing` keeps the removal of such a row from overtaking a new one.
    """

    unconfirmed: set[bytes] = field(default_factory=set)
    deleted: dict[tuple[int, bytes], Mapping[str, int]] = field(default_factory=dict)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
