"""Private anchors in PostgreSQL, and which hosts they concern."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.commands import workspaces
from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host
from vigilo.events.rules import WorkspaceSettings

# All others are judged by the new anchors at their next scan.
RESCANS_MAX: Final = 1_000


async def load(connection: Connection) -> WorkspaceSettings:
    """The settings of the transaction's workspace."""
    found = await connection.execute("select * from config.workspaces")
    return WorkspaceSettings.model_validate(await found.fetchone())


async def lock(connection: Connection) -> WorkspaceSettings:
    """The same, the row locked until the transaction ends. Hosts can still be added meanwhile."""
    found = await connection.execute("select * from config.workspaces for no key update")
    return WorkspaceSettings.model_validate(await found.fetchone())


async def apply(connection: Connection, settings: WorkspaceSettings, *, at: datetime) -> None:
    """Stores the settings and tells them."""
    await connection.execute(
        "update config.workspaces set private_roots = %s, version = %s, updated_at = %s where workspace_id = %s",
        (list(settings.private_roots), settings.version, at, settings.workspace_id),
    )
    await rows.publish(connection, settings.workspace_id, [workspaces.record(settings, at=at)])


async def hosts_to_gain(connection: Connection) -> list[Host]:
    """Active hosts that a private anchor may help: their last card says that the chain is not valid."""
    return await _hosts(connection, "h.trust <> 'public' and l.chain_valid <> 'yes'")


async def hosts_to_lose(connection: Connection) -> list[Host]:
    """Active hosts whose last card is trusted by private anchors; which of them the path used is not in the card."""
    return await _hosts(
        connection,
        "exists (select from read_model.report_cards c where (c.host_id, c.requested_at, c.scan_id) = "
        "(l.host_id, l.requested_at, l.scan_id) "
        """and c.event -> 'trust' @> '[{"domain": "private", "trusted": "yes"}]')""",
    )


async def _hosts(connection: Connection, condition: str) -> list[Host]:
    found = await connection.execute(
        "select h.* from config.hosts h join read_model.host_report_cards l on l.host_id = h.host_id "
        f"where h.status = 'active' and {condition} order by h.host_id limit %s for update of h",
        (RESCANS_MAX,),
    )
    return [Host.model_validate(row) for row in await found.fetchall()]


async def shown_by(connection: Connection, host_id: UUID) -> dict[str, bytes | None] | None:
    """The newest chain of a host that is not deleted: fingerprint (hex) to DER, leaf first. None: no such host."""
    there = await connection.execute(
        "select 1 as one from config.hosts where host_id = %s and status <> 'deleted'", (host_id,)
    )
    if await there.fetchone() is None:
        return None
    found = await connection.execute(
        "select encode(f.sha256, 'hex') as sha256, c.der from read_model.host_chains h, "
        "unnest(h.chain_sha256) with ordinality f(sha256, place) "
        "left join read_model.certificates c on c.sha256 = f.sha256 where h.host_id = %s order by f.place",
        (host_id,),
    )
    return {row["sha256"]: row["der"] for row in await found.fetchall()}
