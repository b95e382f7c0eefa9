"""Channels in PostgreSQL, their credentials sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.problems import invalid, not_found
from services.api.stores import rows
from vigilo.adapters.channel_credentials import CREDENTIALS, Credentials
from vigilo.adapters.postgres import Connection
from vigilo.adapters.secrets import Sealed, SecretBox, channel_place
from vigilo.events.rules import Channel

TABLE: Final = "channels"


async def lock(connection: Connection, channel_id: UUID) -> Channel:
    """The channel, its row locked until the transaction ends. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Channel, channel_id, what="channel", lock=True)


async def load(connection: Connection, channel_id: UUID) -> Channel:
    """The channel. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Channel, channel_id, what="channel")


async def page(connection: Connection, *, after: UUID | None, limit: int) -> list[Channel]:
    """At most `limit` channels in the order they were made, after that id."""
    return await rows.page(connection, TABLE, Channel, after=after, limit=limit)


async def credentials(connection: Connection, channel: Channel, box: SecretBox) -> Credentials:
    """What is sealed for the channel. Raises a 404 problem, vigilo.adapters.secrets.CannotOpen."""
    found = await connection.execute(
        "select key_id, ciphertext from config.channel_secrets where channel_id = %s", (channel.channel_id,)
    )
    row = await found.fetchone()
    if row is None:
        raise not_found("channel")
    sealed = Sealed(row["key_id"], bytes(row["ciphertext"]))
    return CREDENTIALS[channel.kind].model_validate_json(box.open(sealed, place=_place(channel)))


async def keep_credentials(
    connection: Connection, channel: Channel, kept: Credentials, box: SecretBox, *, at: datetime
) -> None:
    """Seals them with the present key, over what was there."""
    sealed = box.seal(kept.model_dump_json().encode(), place=_place(channel))
    await connection.execute(
        "insert into config.channel_secrets (channel_id, workspace_id, key_id, ciphertext, updated_at) "
        "values (%s, %s, %s, %s, %s) on conflict (channel_id) do update "
        "set key_id = excluded.key_id, ciphertext = excluded.ciphertext, updated_at = excluded.updated_at",
        (channel.channel_id, channel.workspace_id, sealed.key_id, sealed.ciphertext, at),
    )


async def forget_credentials(connection: Connection, channel_id: UUID) -> None:
    """Nobody can send to the channel any more."""
    await connection.execute("delete from config.channel_secrets where channel_id = %s", (channel_id,))


async def check_routes(connection: Connection, channel: Channel) -> None:
    """Raises a 422 problem if a route names a rule this workspace has not."""
    wanted = sorted({rule for route in channel.routes for rule in route.rules})
    found = await connection.execute(
        "select wanted from unnest(%s::uuid[]) wanted where not exists "
        "(select from config.alert_rules r where r.rule_id = wanted and r.status <> 'deleted')",
        (wanted,),
    )
    missing = await found.fetchone()
    if missing is not None:
        raise invalid("routes", f"there is no rule {missing['wanted']}", "ids of rules of this workspace")


def _place(channel: Channel) -> str:
    return channel_place(channel.workspace_id, channel.channel_id)
