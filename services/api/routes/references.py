"""Hosts as other things refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.models.observed import HostRef


def host_of(row: Mapping[str, Any], host_id: object) -> HostRef:
    """The reference in a row with the columns of services.api.queries.hosts.host_columns."""
    return HostRef.model_validate(
        {"host_id": host_id, "hostname": row["hostname"], "port": row["port"], "tags": row["tags"]}
    )
