"""The three answers of a trigger."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Judgement(StrEnum):
    """`unknown`: it was not seen. It opens nothing, closes nothing and resets no count."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


def any_of(judgements: Iterable[Judgement]) -> Judgement:
    """True if one is, else unknown if one is (or there is none), else false."""
    seen = frozenset(judgements)
    if Judgement.TRUE in seen:
        return Judgement.TRUE
    return Judgement.FALSE if seen == {Judgement.FALSE} else Judgement.UNKNOWN
