"""Seals every kept secret with the first key, so that older keys can be taken away.

Row after row in small transactions, each row locked: safe beside a running API, and to repeat after a crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from services.api.republishing import all_workspaces
from vigilo.adapters.postgres import Connection, tenant
from vigilo.adapters.secrets import CannotOpen, Sealed, SecretBox, channel_place

_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """One table with sealed columns. `place` says where a row's secret belongs; `select` and `update` are its SQL."""

    name: str
    select: LiteralString
    update: LiteralString
    place: Callable[[DictRow], str]


KINDS: Final = (
    Kind(
        "channel secrets",
        "select workspace_id, channel_id::text as id, key_id, ciphertext as sealed from config.channel_secrets "
        "where key_id <> %(key)s and channel_id::text > %(after)s order by channel_id::text limit %(most)s for update",
        "update config.channel_secrets set key_id = %(key)s, ciphertext = %(sealed)s where channel_id::text = %(id)s",
        lambda row: channel_place(row["workspace_id"], UUID(row["id"])),
    ),
    # Answers that showed a secret, kept for a day.
    Kind(
        "kept answers",
        "select workspace_id, key as id, key_id, body as sealed from config.idempotency_keys "
        "where key_id <> %(key)s and key > %(after)s order by key limit %(most)s for update",
        "update config.idempotency_keys set key_id = %(key)s, body = %(sealed)s where key = %(id)s",
        lambda row: f"{row['workspace_id']}/idempotency/{row['id']}",
    ),
)


@dataclass
class Rotated:
    """How many were sealed again; and by the id of their key, how many could not be opened and are as they were."""

    resealed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


async def rotate(connection: Connection, box: SecretBox) -> Rotated:
    """Everything that these keys open is sealed with the first of them. `connection` acts as vigilo_api."""
    done = Rotated()
    for workspace_id in await all_workspaces(connection):
        for kind in KINDS:
            after: str | None = ""
            while after is not None:
                async with tenant(connection, workspace_id):
                    after = await _batch(connection, kind, box, after, done)
    return done


async def _batch(connection: Connection, kind: Kind, box: SecretBox, after: str, done: Rotated) -> str | None:
    values: Mapping[str, Any] = {"key": box.sealing, "after": after, "most": _BATCH}
    found = await (await connection.execute(kind.select, values)).fetchall()
    for row in found:
        try:
            opened = box.open(Sealed(row["key_id"], bytes(row["sealed"])), place=kind.place(row))
        except CannotOpen:
            done.left[row["key_id"]] += 1
            continue
        sealed = box.seal(opened, place=kind.place(row))
        await connection.execute(kind.update, {"key": sealed.key_id, "sealed": sealed.ciphertext, "id": row["id"]})
        done.resealed[kind.name] += 1
    return found[-1]["id"] if len(found) == _BATCH else None
