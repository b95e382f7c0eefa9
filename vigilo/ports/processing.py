"""What a stateful stream service hands to the stream base: pure decisions over one row.

The base (vigilo.adapters.streams) does the rest: gather, evolve, emit, acknowledge, each once (docs/architecture.md,
"Decide once").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from vigilo.events.envelope import Event, OutgoingEvent, Record

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Input:
    """One decoded input. `event` is None for a tombstone; `ce_id` is the id header, derived when absent."""

    record: Record
    event: Event | None
    ce_id: str


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """What one input does to one key.

    `state` None deletes the row. `outputs` are stored in the row before anybody can see them. `side` maps the name of a
    side table to its new row for this key (None deletes it); left out = unchanged. `next_at` asks for a wakeup of this
    key at that instant (UTC-aware), None for none. `refused` sends the input, whole, to dead-letters with that reason:
    then nothing else of the decision counts and the old row stays.
    """

    state: S | None
    outputs: tuple[OutgoingEvent, ...] = ()
    side: Mapping[str, BaseModel | None] = field(default_factory=dict)
    next_at: datetime | None = None
    refused: str | None = None


class Processor(Protocol[S]):
    """One service's decisions. Everything here is pure; `at` is the only clock.

    `inputs` maps logical topic names (host-keyed, co-partitioned) to the model of their values. `state_model` is the
    row of the guard table, `side_models` the rows of further tables by name; their changelogs are named
    `<service>-<table>-changelog`.
    """

    service: str
    table: str
    inputs: Mapping[str, type[Event]]
    state_model: type[S]
    side_models: Mapping[str, type[BaseModel]]
    wakeups_topic: str | None

    def decide(self, state: S | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime) -> Decision[S]:
        """The decision for one input; may not raise for any input that decodes."""
        ...

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """The record that the timer of this key sends to `wakeups_topic` when `due` has come."""
        ...
