"""How far Kafka has been read, and which commands were carried out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from vigilo.adapters.postgres import Connection

# Longer than the topic keeps commands: what is forgotten cannot come again.
COMMANDS_KEPT: Final = timedelta(days=9)


class OffsetsMoved(Exception):
    """Another notifier has consumed this partition since: roll back and read the position again."""


async def read_offsets(connection: Connection) -> dict[tuple[str, int], int]:
    """Next offset to consume, by (topic, partition)."""
    cursor = await connection.execute("select topic, partition, next_offset from notifier.consumed_offsets")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in await cursor.fetchall()}


async def advance(connection: Connection, topic: str, partition: int, *, came_from: int | None, to: int) -> None:
    """Moves a partition's position by compare-and-set. Raises OffsetsMoved when it is not at `came_from`."""
    if came_from is None:
        sql = (
            "insert into notifier.consumed_offsets (topic, partition, next_offset) values (%s, %s, %s) "
            "on conflict do nothing"
        )
        cursor = await connection.execute(sql, (topic, partition, to))
    else:
        sql = (
            "update notifier.consumed_offsets set next_offset = %s "
            "where topic = %s and partition = %s and next_offset = %s"
        )
        cursor = await connection.execute(sql, (to, topic, partition, came_from))
    if cursor.rowcount != 1:
        raise OffsetsMoved(f"{topic}/{partition} is no longer at {came_from}")


async def first_time(connection: Connection, command_id: UUID, workspace_id: UUID, *, now: datetime) -> bool:
    """False if the command was carried out before."""
    cursor = await connection.execute(
        "insert into notifier.commands_done (command_id, workspace_id, at) values (%s, %s, %s) on conflict do nothing",
        (command_id, workspace_id, now),
    )
    return cursor.rowcount == 1


async def forget_commands(connection: Connection, *, now: datetime) -> None:
    """Forgets commands that cannot come again."""
    await connection.execute("delete from notifier.commands_done where at < %s", (now - COMMANDS_KEPT,))
