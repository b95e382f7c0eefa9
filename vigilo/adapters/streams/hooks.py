"""What our subclasses inside Faust share with the service that owns them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vigilo.adapters.streams.outlet import End, Outlet
from vigilo.adapters.streams.ownership import Ownership
from vigilo.adapters.streams.positions import Positions, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """One per process. `inputs` are the input topics as named in Kafka.

    `recovered` runs when the tables are recovered and the consumer has been set to the committed offsets, before the
    first record is fetched; `resumed` when records flow again; `revoked` as soon as a rebalance begins; `committed`
    after each commit.
    """

    ownership: Ownership
    positions: Positions
    outlet: Outlet
    inputs: frozenset[str]
    end: End
    recovered: Callable[[frozenset[TopicPartition]], Awaitable[None]]
    resumed: Callable[[], None]
    revoked: Callable[[], None]
    committed: Callable[[Mapping[TopicPartition, int]], Awaitable[None]]


def hooks_of(app: Any) -> Hooks:
    """The hooks of our app; Faust's types know only its own."""
    hooks: Hooks = app.hooks
    return hooks
