from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from services.scanner.intake import PoolMembership, is_expired
from tests.fakes.scan_requests import light_request
from vigilo.events.scans import Outcome


def test_a_request_is_good_until_its_last_instant() -> None:
    request = light_request()
    assert not is_expired(request, at=request.not_after)
    assert is_expired(request, at=request.not_after + timedelta(microseconds=1))


def test_a_pool_serves_its_workspaces_and_nobody_else() -> None:
    request = light_request(pool="berlin")
    assert PoolMembership("berlin", frozenset({request.target.workspace_id})).refusal(request) is None
    for membership in (PoolMembership("berlin", frozenset({uuid4()})), PoolMembership("public")):
        refusal = membership.refusal(request)
        assert refusal is not None
        assert refusal.failure is not None
        assert refusal.failure.outcome is Outcome.DENIED


def test_the_public_pool_is_open_to_all() -> None:
    assert PoolMembership("public").refusal(light_request()) is None
