"""Hosts added over HTTP, what leaves for them, and problems as they are told."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.fakes.api_server import ApiServer


def name() -> str:
    return f"h{uuid4().hex[:12]}.example"


def add(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("hosts", json={"hostname": name(), **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def outbox(api: ApiServer, key: str) -> list[dict[str, Any]]:
    return api.rows("select * from config.outbox where aggregateid = %s order by position", key)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"].startswith("urn:vigilo:problem:")
    assert document["detail"]
    return dict(document)
