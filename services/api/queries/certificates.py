"""Certificates that a host of the workspace has shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vigilo.adapters.postgres import Connection


async def one(connection: Connection, sha256: bytes) -> dict[str, Any] | None:
    """When it was seen, its facts as the newest snapshot tells them, and its DER if any scan brought it.

    The tenant's own sightings come first: without one there is no row, whoever else has shown the certificate.
    """
    found = await connection.execute(
        """
        select w.first_seen_at, w.last_seen_at, w.last_scan_id, w.last_host_id, c.der,
            (select fact from read_model.snapshots s, jsonb_array_elements(s.event -> 'chain') fact
             where s.host_id = w.last_host_id and s.requested_at = w.last_seen_at and s.scan_id = w.last_scan_id
                and fact ->> 'fingerprint_sha256' = %(hex)s limit 1) as facts
        from read_model.workspace_certificates w left join read_model.certificates c on c.sha256 = w.sha256
        where w.sha256 = %(sha256)s
        """,
        {"sha256": sha256, "hex": sha256.hex()},
    )
    return await found.fetchone()


async def hosts(connection: Connection, sha256: bytes, *, limit: int) -> list[dict[str, Any]]:
    """Hosts whose newest chain has the certificate, by name; those deleted are left out."""
    found = await connection.execute(
        "select h.host_id, h.hostname, h.port, h.tags from read_model.host_chains c "
        "join config.hosts h on h.host_id = c.host_id and h.status <> 'deleted' "
        "where c.chain_sha256 @> array[%s::bytea] order by h.hostname, h.port, h.host_id limit %s",
        (sha256, limit),
    )
    return await found.fetchall()


async def chain_of(connection: Connection, host_id: UUID) -> list[dict[str, Any]]:
    """Fingerprint and DER of the host's newest chain, leaf first; `der` is null where no scan brought it."""
    found = await connection.execute(
        "select encode(f.sha256, 'hex') as sha256, c.der from read_model.host_chains h, "
        "unnest(h.chain_sha256) with ordinality f(sha256, place) "
        "left join read_model.certificates c on c.sha256 = f.sha256 where h.host_id = %s order by f.place",
        (host_id,),
    )
    return await found.fetchall()
