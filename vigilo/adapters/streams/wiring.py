"""Puts the pieces of one stream service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from vigilo.adapters.streams.app import HookedApp, changelog_table, hardened_app, input_channel
from vigilo.adapters.streams.deciding import Decider
from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.inputs import InputReader
from vigilo.adapters.streams.loop import Loop
from vigilo.adapters.streams.plan import Planner
from vigilo.adapters.streams.rows import RowCodec
from vigilo.adapters.streams.settings import StreamSettings, changelog_topic
from vigilo.adapters.streams.timers import Timers
from vigilo.adapters.streams.topics import TopicFacts
from vigilo.adapters.streams.writing import Writing
from vigilo.ports.deadletters import StopLimit
from vigilo.ports.processing import Processor

S = TypeVar("S", bound=BaseModel)


def changelogs(processor: Processor[Any]) -> dict[str, str]:
    """The changelog topic (logical) of each table: the guard's and the side tables'."""
    tables = [processor.table, *processor.side_models]
    return {table: changelog_topic(processor.service, table) for table in tables}


def compacted_inputs(processor: Processor[Any], facts: Mapping[str, TopicFacts]) -> frozenset[str]:
    """The inputs (logical) whose offsets may have holes."""
    return frozenset(name for name in processor.inputs if facts[name].compacted)


def planner_of(settings: StreamSettings, service: str, state_model: type[S]) -> Planner[S]:
    """The planner of a service."""
    codec = RowCodec(state_model)
    return Planner(codec, settings.source_of(service), settings.guard_row_limit, settings.record_limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring(Generic[S]):
    """What the app and its loop are made of."""

    processor: Processor[S]
    settings: StreamSettings
    facts: Mapping[str, TopicFacts]
    partitions: int
    hooks: Hooks
    timers: Timers
    limit: StopLimit
    clock: Callable[[], datetime]

    def build(self) -> tuple[HookedApp, Loop[S]]:
        """The app, with the loop as its one agent over all inputs."""
        processor, settings = self.processor, self.settings
        app = hardened_app(processor.service, settings, self.hooks)
        tables = {
            table: changelog_table(app, table, settings.physical(topic), self.partitions)
            for table, topic in changelogs(processor).items()
        }
        compacted = compacted_inputs(processor, self.facts)
        guard = tables.pop(processor.table)
        loop = Loop(
            app=app,
            settings=settings,
            hooks=self.hooks,
            guard=guard,
            sides=tables,
            decider=Decider(
                processor=processor,
                reader=InputReader(processor.inputs, partitions=self.partitions, compacted=compacted),
                planner=planner_of(settings, processor.service, processor.state_model),
                guard=guard,
                sides=tables,
                clock=self.clock,
            ),
            writing=Writing(outlet=self.hooks.outlet, guard=guard, sides=tables, timers=self.timers),
            limit=self.limit,
        )
        app.agent(input_channel(app, self.hooks.inputs), name=processor.service, concurrency=1)(loop.run)
        return app, loop
