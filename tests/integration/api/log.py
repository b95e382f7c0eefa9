"""What a test asks of the audit log."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.fakes.api_server import ApiServer

COLUMNS = "workspace_id, sequence, at, actor, action, subject, previous_hash, hash"


def entries(api: ApiServer, workspace: str = "one") -> list[dict[str, Any]]:
    return api.rows(
        "select e.* from config.audit_entries e join config.workspaces w using (workspace_id) "
        "where w.slug = %s order by sequence",
        workspace,
    )


def last(client: httpx.Client, count: int = 1, **filters: str) -> list[dict[str, Any]]:
    answer = client.get("audit", params={"limit": count, **filters})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def added(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("hosts", json={"hostname": f"{uuid4()}.example", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
