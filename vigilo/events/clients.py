"""What a well-known client would get from a host."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

CLIENTS_MAX = 12


class Connects(StrEnum):
    """Three values: where the answer rests on something that was not measured, it is not known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ClientResult(BaseModel):
    """One client's handshake, worked out and not made. `reason` says why there is none, or why it is not known.

    `reference`: a client of which the rating guide expects good security. `group` is None for a key agreement that
    names none, or where it could not be told; `forward_secret` is None without a handshake.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    reference: bool = False
    connects: Connects
    version: str | None = None
    suite: str | None = None
    group: str | None = None
    forward_secret: bool | None = None
    reason: str | None = None
