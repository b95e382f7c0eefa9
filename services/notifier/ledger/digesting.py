"""Digests in the ledger: a delivery of its own, carrying the deliveries it stands for."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row
from pydantic import TypeAdapter

from services.notifier.delivery import Verdict
from services.notifier.grouping import Unit
from services.notifier.records import DIGEST, WAITING, Row
from services.notifier.superseding import RULEBOOK
from services.notifier.tellings import LINES_MAX, DigestLine, DigestTelling, TransitionTelling
from vigilo.adapters.postgres import Connection
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import Severity

_WEIGHTS: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
_NEW_RULEBOOK: Final = "new rules of grading or a new trust store; the hosts are as they were"
_TRANSITION: TypeAdapter[TransitionTelling] = TypeAdapter(TransitionTelling)
_MEMBER: Final = """
    delivery_id, workspace_id, channel_id, alert_id, transition_id, host_id, rule_id, n, kind, cause, status, position,
    entered_at, attempt, step, maybe_received, asked_again, digest_id, next_attempt_at, claimed_until, error_class
"""


async def enter_digest(connection: Connection, unit: Unit, digest_id: UUID, *, at: datetime) -> Row:
    """The digest's own row, its members bound to it. One that was dissolved before goes on where it was."""
    telling = await _telling(connection, unit, at=at)
    first = unit.members[0]
    cursor = await connection.execute(
        """
        insert into notifier.deliveries (delivery_id, workspace_id, channel_id, rule_id, n, kind, cause, status, step,
            next_attempt_at, entered_at, told_at, telling)
        values (%s, %s, %s, %s, 0, %s, %s, 'waiting', %s, %s, %s, %s, %s)
        on conflict (delivery_id) do update set status = 'waiting', step = excluded.step, telling = excluded.telling,
            entered_at = excluded.entered_at, next_attempt_at = excluded.next_attempt_at
        returning attempt, position, maybe_received
        """,
        (
            digest_id,
            first.workspace_id,
            first.channel_id,
            first.rule_id,
            DIGEST,
            first.cause,
            max(row.step for row in unit.members),
            at,
            first.entered_at,
            at,
            telling.model_dump_json(),
        ),
    )
    entered = await cursor.fetchone()
    await connection.execute(
        "update notifier.deliveries set digest_id = %s where delivery_id = any(%s)",
        (digest_id, [row.delivery_id for row in unit.members]),
    )
    if entered is None:
        raise LookupError("an insert that returns nothing")
    return Row(
        delivery_id=digest_id,
        workspace_id=first.workspace_id,
        channel_id=first.channel_id,
        alert_id=None,
        transition_id=None,
        host_id=None,
        rule_id=first.rule_id,
        n=0,
        kind=DIGEST,
        cause=first.cause,
        status=WAITING,
        position=entered["position"],
        entered_at=first.entered_at,
        attempt=entered["attempt"],
        step=max(row.step for row in unit.members),
        maybe_received=entered["maybe_received"],
        next_attempt_at=at,
    )


async def members_of(connection: Connection, digest_id: UUID) -> list[Row]:
    """The deliveries that the digest still carries."""
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            f"select {_MEMBER} from notifier.deliveries where digest_id = %s and status in ('waiting', 'retrying') "
            "order by position",
            (digest_id,),
        )
        return await cursor.fetchall()


async def dissolve(connection: Connection, digest_id: UUID, verdict: Verdict, *, step: int) -> None:
    """Nobody has the digest: its members wait for themselves again, to be overtaken or joined anew."""
    await connection.execute(
        """
        update notifier.deliveries set digest_id = null, status = %s, step = %s, next_attempt_at = %s,
            claimed_until = null, maybe_received = asked_again
        where digest_id = %s and status in ('waiting', 'retrying')
        """,
        (verdict.status.value, step, verdict.next_attempt_at, digest_id),
    )


async def _telling(connection: Connection, unit: Unit, *, at: datetime) -> DigestTelling:
    first = unit.members[0]
    ids = [row.delivery_id for row in unit.members]
    cursor = await connection.execute(
        "select telling from notifier.deliveries where delivery_id = any(%s) order by position limit %s",
        (ids, LINES_MAX),
    )
    told = [_TRANSITION.validate_python(row["telling"]).transition for row in await cursor.fetchall()]
    lines = tuple(
        DigestLine(
            alert_id=one.alert_id,
            host_id=one.host_id,
            where=f"{one.host.hostname}:{one.host.port}",
            summary=one.summary,
            severity=one.rule.severity,
        )
        for one in told
    )
    return DigestTelling(
        workspace_id=first.workspace_id,
        what=TransitionKind(first.kind),
        title=_NEW_RULEBOOK if first.cause == RULEBOOK else told[0].rule.name,
        severity=await _gravest(connection, ids),
        count=len(ids),
        lines=lines,
        at=at,
    )


async def _gravest(connection: Connection, ids: list[UUID]) -> Severity:
    cursor = await connection.execute(
        "select distinct telling -> 'transition' -> 'rule' ->> 'severity' as severity from notifier.deliveries "
        "where delivery_id = any(%s)",
        (ids,),
    )
    return max((Severity(row["severity"]) for row in await cursor.fetchall()), key=_WEIGHTS.index)
