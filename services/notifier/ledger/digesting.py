"""Digests in the ledger: a delivery of its own, carrying the deliveries it stands for."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row
from pydantic import TypeAdapter

from services.notifier.delivery import Verdict
from services.notifier.grouping import Unit
from services.notifier.ledger.rows import COLUMNS
from services.notifier.records import DIGEST, Row
from services.notifier.superseding import RULEBOOK
from services.notifier.tellings import LINES_MAX, DigestLine, DigestTelling, TransitionTelling
from vigilo.adapters.postgres import Connection
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import Severity

_WEIGHTS: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
_NEW_RULEBOOK: Final = "new rules of grading or a new trust store; the hosts are as they were"
_TRANSITION: TypeAdapter[TransitionTelling] = TypeAdapter(TransitionTelling)


async def enter_digest(connection: Connection, unit: Unit, digest_id: UUID, *, at: datetime) -> Row:
    """The digest's own row, its members bound to it. One that was dissolved before goes on where it was."""
    first = unit.members[0]
    values = {
        "digest": digest_id,
        "workspace": first.workspace_id,
        "channel": first.channel_id,
        "rule": first.rule_id,
        "kind": DIGEST,
        "cause": first.cause,
        "step": max(row.step for row in unit.members),
        "entered": first.entered_at,
        "at": at,
        "telling": (await _telling(connection, unit, at=at)).model_dump_json(),
        "members": [row.delivery_id for row in unit.members],
    }
    await connection.execute(
        "update notifier.deliveries set digest_id = %(digest)s where delivery_id = any(%(members)s)", values
    )
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            f"""
            insert into notifier.deliveries (delivery_id, workspace_id, channel_id, rule_id, n, kind, cause, status,
                step, next_attempt_at, entered_at, told_at, telling)
            values (%(digest)s, %(workspace)s, %(channel)s, %(rule)s, 0, %(kind)s, %(cause)s, 'waiting', %(step)s,
                %(at)s, %(entered)s, %(at)s, %(telling)s)
            on conflict (delivery_id) do update set status = 'waiting', step = excluded.step,
                telling = excluded.telling, entered_at = excluded.entered_at, next_attempt_at = excluded.next_attempt_at
            returning {COLUMNS}
            """,
            values,
        )
        (entered,) = await cursor.fetchall()
    return entered


async def members_of(connection: Connection, digest_id: UUID) -> list[Row]:
    """The deliveries that the digest still carries."""
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from notifier.deliveries where digest_id = %s and status in ('waiting', 'retrying') "
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
