"""Tokens, roles, Host headers: who gets in, and who is told what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.api.auth import new_token, token_sha256
from tests.fakes.api_server import ApiServer

pytestmark = pytest.mark.postgres


def get(api: ApiServer, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{api.base_url}/api/v1/workspaces/one/hosts", headers=headers, trust_env=False)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", f"Bearer {new_token()}", "Basic dXNlcjpwYXNz", "Bearer vgl_" + "a" * 5000],
)
def test_without_a_good_token_nobody_gets_in(api: ApiServer, authorization: str) -> None:
    answer = get(api, {"Authorization": authorization} if authorization else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="vigilo"')
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_in_a_cookie_or_in_the_query_does_not_count(api: ApiServer) -> None:
    token = api.one.tokens["owner"]
    assert get(api, {"Cookie": f"token={token}; Authorization=Bearer {token}"}).status_code == 401
    url = f"{api.base_url}/api/v1/workspaces/one/hosts?access_token={token}"
    assert httpx.get(url, trust_env=False).status_code == 401


def token_row(api: ApiServer, **changes: Any) -> str:
    token = new_token()
    values = {"expires_at": None, "revoked_at": None, **changes}
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute(
            "insert into config.tokens "
            "(token_id, workspace_id, name, sha256, role, kind, created_at, expires_at, revoked_at) "
            "values (gen_random_uuid(), %s, 't', %s, 'owner', 'installation', now(), %s, %s)",
            (api.one.workspace_id, token_sha256(token), values["expires_at"], values["revoked_at"]),
        )
    return token


def test_expired_and_revoked_tokens_are_refused_at_once(api: ApiServer) -> None:
    now = datetime.now(UTC)
    good = token_row(api, expires_at=now + timedelta(hours=1))
    assert get(api, {"Authorization": f"Bearer {good}"}).status_code == 200
    for dead in (token_row(api, expires_at=now - timedelta(seconds=1)), token_row(api, revoked_at=now)):
        assert get(api, {"Authorization": f"Bearer {dead}"}).status_code == 401
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute("update config.tokens set revoked_at = now() where sha256 = %s", (token_sha256(good),))
    assert get(api, {"Authorization": f"Bearer {good}"}).status_code == 401


def test_only_the_hash_of_a_token_is_stored_and_its_use_is_noted(api: ApiServer) -> None:
    token = token_row(api)
    assert get(api, {"Authorization": f"bearer {token}"}).status_code == 200
    (row,) = api.rows("select * from config.tokens where sha256 = %s", token_sha256(token))
    assert row["last_used_at"] is not None
    assert token not in str(row)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"]
)
def test_a_host_header_that_is_not_ours_is_refused(api: ApiServer, host: str) -> None:
    answer = get(api, {"Host": host, "Authorization": f"Bearer {api.one.tokens['owner']}"})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080"])
def test_loopback_names_are_ours(api: ApiServer, host: str) -> None:
    assert get(api, {"Host": host, "Authorization": f"Bearer {api.one.tokens['owner']}"}).status_code == 200


def test_requests_are_measured_by_the_template_of_their_route(api: ApiServer) -> None:
    token = {"Authorization": f"Bearer {api.one.tokens['owner']}"}
    for path in ("hosts", f"hosts/{uuid4()}", "no-such-thing"):
        httpx.get(f"{api.base_url}/api/v1/workspaces/one/{path}", headers=token, trust_env=False)
    text = httpx.get(f"{api.base_url}/metrics", trust_env=False).text
    counts = [line for line in text.splitlines() if line.startswith("vigilo_http_request_seconds_count")]
    for route, status in (("/hosts", 200), ("/hosts/{host_id}", 404)):
        label = f'method="GET",route="/api/v1/workspaces/{{workspace}}{route}",status="{status}"'
        assert any(label in line for line in counts), counts
    assert any('route="none",status="404"' in line for line in counts)
    assert "no-such-thing" not in text and str(api.one.workspace_id) not in text


def test_no_answer_is_kept_on_the_way_or_guessed_at(api: ApiServer) -> None:
    for headers in ({"Authorization": f"Bearer {api.one.tokens['owner']}"}, {}, {"Host": "evil.example"}):
        answer = get(api, headers)
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_health_and_metrics_answer_machines_by_address(api: ApiServer) -> None:
    for path in ("/healthz", "/metrics"):
        assert httpx.get(f"{api.base_url}{path}", headers={"Host": "10.1.2.3"}, trust_env=False).status_code == 200


def test_the_description_and_its_page_load_nothing_from_elsewhere(api: ApiServer) -> None:
    page = httpx.get(f"{api.base_url}/api/v1/docs", trust_env=False)
    assert page.status_code == 200 and "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text and "src=" not in page.text
    document = httpx.get(f"{api.base_url}/api/v1/openapi.json", trust_env=False).json()
    assert "/api/v1/workspaces/{workspace}/hosts" in document["paths"]
