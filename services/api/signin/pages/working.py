"""Passwords worked out for a page: too many at once is a refusal that says when to come back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from services.api.problems import Problem
from services.api.signin.passwords import Busy

T = TypeVar("T")


async def worked_out(work: Awaitable[T]) -> T:
    """What the pool worked out. Raises a 503 problem."""
    try:
        return await work
    except Busy as error:
        detail = "Many people are signing in right now. Go back and try again in a moment."
        raise Problem(503, "busy", detail, headers={"Retry-After": "2"}) from error
