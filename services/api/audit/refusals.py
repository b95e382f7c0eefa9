"""What somebody was not allowed to do is told too: every 403 of a known caller becomes an entry of the audit log.

A caller who is refused again and again fills the log no faster than a bounded number of entries a minute; what was left
out is counted in the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from fastapi import FastAPI, Request, Response
from psycopg_pool import PoolTimeout

from services.api.audit.change import Change
from services.api.audit.writing import record
from services.api.auth import Caller
from services.api.problems import Problem, answer
from services.api.resources import resources
from vigilo.adapters.postgres import tenant

logger = logging.getLogger("vigilo.api.audit")

A_MINUTE: Final = timedelta(minutes=1)
MOST_A_MINUTE: Final = 30
# Who was refused longest ago is forgotten first.
_REMEMBERED: Final = 10_000


@dataclass
class _Minute:
    began: datetime
    written: int = 0
    left_out: int = 0


@dataclass
class Allowance:
    """How many refusals of one caller are written; of this process alone."""

    _minutes: dict[UUID, _Minute] = field(default_factory=dict)

    def take(self, caller: UUID, at: datetime) -> int | None:
        """How many were left out since the last one written; None if this one is to be left out as well."""
        minute = self._minutes.pop(caller, None) or _Minute(at)
        self._minutes[caller] = minute
        if len(self._minutes) > _REMEMBERED:
            del self._minutes[next(iter(self._minutes))]
        if at - minute.began >= A_MINUTE:
            minute.began, minute.written = at, 0
        if minute.written >= MOST_A_MINUTE:
            minute.left_out += 1
            return None
        left_out, minute.left_out = minute.left_out, 0
        minute.written += 1
        return left_out


def audit_refusals(app: FastAPI) -> None:
    """Problems are answered as before; those with status 403 are written down first."""
    app.add_exception_handler(Problem, _answering(Allowance()))


def _answering(allowance: Allowance) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answered(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        caller = getattr(request.state, "caller", None)
        if error.status == 403 and isinstance(caller, Caller):
            await _tell(request, error, caller, allowance)
        return answer(request, error)

    return answered


def refusal(method: str, path: str, problem: Problem, caller: Caller, *, left_out: int) -> Change:
    """The entry of one refused request. Pure."""
    permission = str(problem.members.get("permission", problem.name))
    request: dict[str, object] = {"method": method, "path": path, "role": caller.role.label, "detail": problem.detail}
    return Change("access.refuse", f"permission:{permission}", None, request | ({"more": left_out} if left_out else {}))


async def _tell(request: Request, problem: Problem, caller: Caller, allowance: Allowance) -> None:
    at = datetime.now(UTC)
    left_out = allowance.take(caller.means_id, at)
    if left_out is None:
        return
    told = refusal(request.method, request.url.path, problem, caller, left_out=left_out)
    try:
        async with resources(request).pool.connection() as connection, tenant(connection, caller.workspace_id):
            await record(connection, caller.workspace_id, [told], actor=caller.name, origin=caller.origin, at=at)
    except (psycopg.Error, PoolTimeout):
        # The answer is no, whether it can be written down or not.
        logger.exception("a refusal of %s is missing from the audit log", caller.name)
