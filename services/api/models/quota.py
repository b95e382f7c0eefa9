"""The quota as answers show it. Pure."""

from __future__ import annotations

from pydantic import BaseModel, Field

from vigilo.events.hosts import Interval


class IntervalUse(BaseModel):
    """Hosts of one interval."""

    interval: Interval
    cost: int = Field(description="Scans a day of one such host", examples=[24])
    hosts: int = Field(description="Active hosts with this interval; paused ones cost nothing", examples=[3])


class QuotaView(BaseModel):
    """Scans a day: planned by the intervals of all active hosts, and the most there may be."""

    limit: int | None = Field(description="Null: unlimited", examples=[1440])
    used: int = Field(examples=[72])
    remaining: int | None = Field(description="Null: unlimited; never below 0", examples=[1368])
    shortest_interval_that_fits: Interval | None = Field(description="For one more host; null: none fits")
    by_interval: list[IntervalUse]
