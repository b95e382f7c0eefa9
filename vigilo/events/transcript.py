"""The answers of an enumeration that is spread over several scans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ANSWERS_MAX = 300
TRANSCRIPT_GOOD_FOR = timedelta(days=5)

_Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,16}$")]
_Answer = Annotated[str, StringConstraints(max_length=200)]


class Transcript(BaseModel):
    """What one address has answered so far; no posture yet, and nothing to judge.

    `begun_at` is the `requested_at` of the first scan that asked; five days later its answers are forgotten. `like` is
    a fingerprint of how the server looked then (leaf and ServerHello): when it looks otherwise, its answers are
    forgotten as well. `answers` are written by vigilo.tls.posture.transcript: a question's key to its answer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    begun_at: datetime
    address: str
    like: str
    answers: Mapping[_Key, _Answer] = Field(default_factory=dict, max_length=ANSWERS_MAX)

    def continues(self, *, at: datetime, address: str, like: str) -> bool:
        """True when a scan requested `at` may go on with it."""
        fresh = self.begun_at <= at < self.begun_at + TRANSCRIPT_GOOD_FOR
        return fresh and (self.address, self.like) == (address, like)
