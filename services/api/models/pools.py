"""Pools of scanners as answers show them. Pure."""

from __future__ import annotations

from pydantic import BaseModel, Field


class PoolView(BaseModel):
    """Scanners of one network."""

    name: str = Field(examples=["public"])
    hosts: int = Field(description="Hosts of this workspace that it scans, paused ones included", examples=[3])


class PoolsView(BaseModel):
    """The pools that hosts of this workspace may be scanned by; the operator sets them."""

    items: list[PoolView]
