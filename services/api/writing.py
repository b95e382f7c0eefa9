"""Commands: one transaction in the caller's workspace, once per Idempotency-Key, answered after the commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from services.api.audit.change import Change
from services.api.audit.writing import record
from services.api.auth import Authenticated, Caller
from services.api.etags import IF_MATCH_PATTERN, IfMatch, parse_if_match
from services.api.idempotency import KEY_PATTERN, Answer, Attempt, fingerprint, parse_key, store_answer, stored_answer
from services.api.permissions import Permission
from services.api.resources import Resources, resources
from vigilo.adapters.postgres import Connection, tenant

Effect = Callable[[Connection], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Writer:
    """One command: who sends it, when it came, what it demands of the present version."""

    caller: Caller
    resources: Resources
    at: datetime
    if_match: IfMatch
    attempt: Attempt | None

    async def once(self, permission: Permission, effect: Effect) -> Response:
        """Runs `effect` in a transaction of the caller's workspace and answers with what it returns.

        A repeated request gets the stored answer instead. Raises problems; then nothing was changed.
        """
        self.caller.require(permission)
        async with (
            self.resources.pool.connection() as connection,
            tenant(connection, self.caller.workspace_id),
        ):
            answer = await self._answer(connection, effect)
            # Last, for its lock keeps the workspace's other commands waiting.
            await record(
                connection,
                self.caller.workspace_id,
                answer.changes,
                actor=self.caller.name,
                origin=self.caller.origin,
                at=self.at,
            )
        return Response(answer.body, answer.status, headers=dict(answer.headers))

    async def _answer(self, connection: Connection, effect: Effect) -> Answer:
        if self.attempt is None:
            return await effect(connection)
        box = self.resources.box
        before = await stored_answer(connection, self.attempt, box, at=self.at)
        if before is not None:
            return Answer(before.status, before.body, {**before.headers, "Idempotent-Replayed": "true"})
        answer = await effect(connection)
        await store_answer(connection, self.attempt, answer, box, at=self.at)
        return answer


async def writer(
    request: Request,
    caller: Authenticated,
    if_match: Annotated[
        str | None,
        Header(
            json_schema_extra={"pattern": IF_MATCH_PATTERN},
            description='ETag of the version you saw, such as `"3"`',
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            json_schema_extra={"pattern": KEY_PATTERN},
            description="Repeating a request with the same key within 24 hours repeats the answer, not the effect; "
            'such as `"5a2b0c9e-8e3f-4f5d-9d53-6f0f2f7c5a11"`',
        ),
    ] = None,
) -> Writer:
    """Dependency: a `Writer`."""
    attempt = None
    if idempotency_key is not None:
        request_print = fingerprint(request.method, request.url.path, await request.body())
        attempt = Attempt(caller.workspace_id, parse_key(idempotency_key), request_print)
    return Writer(caller, resources(request), datetime.now(UTC), parse_if_match(if_match), attempt)


Writing = Annotated[Writer, Depends(writer)]


def answered(
    view: BaseModel,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    secret: bool = False,
    changes: tuple[Change, ...] = (),
) -> Answer:
    """The answer that shows this view as JSON; `changes` as in Answer."""
    body = view.model_dump_json(by_alias=True).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})}, secret, changes)
