"""Every action by each of the five roles, over the real API: who may, may, and who may not is told why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.api.openapi import BASE
from services.api.permissions import OPEN_TO_ALL, Permission
from tests.fakes.alerts import transition
from tests.fakes.api_server import ROLES, ApiServer
from tests.fakes.people import Person, add_person, remove_people
from tests.fakes.pki import Options, issue
from tests.fakes.read_model import put
from tests.fakes.routes import addresses, idle_app
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import Delivery, DeliveryStatus

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class Action:
    """One address, what is sent, the lowest role that may, and the status when it may."""

    method: str
    path: str
    least: str
    permission: Permission
    status: int = 200
    body: Any = None


RULE = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
CHANNEL = {"kind": "webhook", "name": "c", "url": "https://roles.example/"}
REDELIVERY = {"since": "2026-01-01T00:00:00Z"}
P = Permission
# 404: there is nothing observed in this workspace; whoever may ask is told so.
ACTIONS = [
    Action("GET", "", "viewer", P.VIEW),
    Action("GET", "/quota", "viewer", P.VIEW),
    Action("GET", "/pools", "viewer", P.VIEW),
    Action("GET", "/hosts", "viewer", P.VIEW),
    Action("POST", "/hosts", "member", P.HOST_ADD, 201, lambda: {"hostname": f"{uuid4()}.example"}),
    Action("GET", "/hosts/{host_id}", "viewer", P.VIEW),
    Action("PATCH", "/hosts/{host_id}", "member", P.HOST_EDIT, 200, {"owner": "x"}),
    Action("DELETE", "/hosts/{host_id}", "admin", P.HOST_DELETE, 204),
    Action("POST", "/hosts/{host_id}/pause", "member", P.HOST_PAUSE),
    Action("POST", "/hosts/{host_id}/resume", "member", P.HOST_PAUSE),
    Action("POST", "/hosts/{host_id}/scan", "member", P.HOST_SCAN, 202),
    Action("POST", "/hosts/{host_id}/snooze", "member", P.HOST_SNOOZE, 200, {"for": "1h", "reason": "x"}),
    Action("DELETE", "/hosts/{host_id}/snooze", "member", P.HOST_SNOOZE),
    Action("GET", "/hosts/{host_id}/snapshots", "viewer", P.VIEW),
    Action("GET", "/hosts/{host_id}/snapshots/latest", "viewer", P.VIEW, 404),
    Action("GET", "/snapshots/{scan_id}", "viewer", P.VIEW, 404),
    Action("GET", "/hosts/{host_id}/report-card", "viewer", P.VIEW, 404),
    Action("GET", "/hosts/{host_id}/grades", "viewer", P.VIEW),
    Action("GET", "/hosts/{host_id}/changes", "viewer", P.VIEW),
    Action("GET", "/hosts/{host_id}/timeline", "viewer", P.VIEW),
    Action("GET", "/hosts/{host_id}/chain", "viewer", P.VIEW, 404),
    Action("GET", "/certificates/{sha256}", "viewer", P.VIEW, 404),
    Action("GET", "/alerts", "viewer", P.VIEW),
    Action("GET", "/alerts/{alert_id}", "viewer", P.VIEW),
    Action("POST", "/alerts/{alert_id}/acknowledge", "member", P.ALERT_ACKNOWLEDGE, 202, {"note": "x"}),
    Action("GET", "/deliveries", "viewer", P.VIEW),
    Action("GET", "/deliveries/{delivery_id}", "viewer", P.VIEW),
    Action("POST", "/deliveries/{delivery_id}/redeliver", "admin", P.DELIVERY_REDELIVER, 202),
    Action("GET", "/rules", "viewer", P.VIEW),
    Action("POST", "/rules", "admin", P.RULE_CREATE, 201, RULE),
    Action("GET", "/rules/{rule_id}", "viewer", P.VIEW),
    Action("PATCH", "/rules/{rule_id}", "admin", P.RULE_EDIT, 200, {"enabled": False}),
    Action("DELETE", "/rules/{rule_id}", "admin", P.RULE_DELETE, 204),
    Action("POST", "/rules/preview", "member", P.RULE_PREVIEW, 200, {"rule": RULE, "days": 1}),
    Action("GET", "/rules/{rule_id}/why?host={host_id}", "viewer", P.VIEW),
    Action("GET", "/alerts/{alert_id}/why", "viewer", P.VIEW),
    Action("POST", "/rules/{rule_id}/snooze", "member", P.RULE_SNOOZE, 201, {"for": "1h"}),
    Action("DELETE", "/rules/{rule_id}/snooze", "member", P.RULE_SNOOZE, 204),
    Action("GET", "/snoozes", "viewer", P.VIEW),
    Action("POST", "/snoozes", "member", P.RULE_SNOOZE, 201, {"tag": "prod", "for": "1d"}),
    Action("GET", "/snoozes/{snooze_id}", "viewer", P.VIEW),
    Action("DELETE", "/snoozes/{snooze_id}", "member", P.RULE_SNOOZE, 204),
    Action("GET", "/channels", "viewer", P.VIEW),
    Action("POST", "/channels", "admin", P.CHANNEL_MANAGE, 201, CHANNEL),
    Action("GET", "/channels/{channel_id}", "viewer", P.VIEW),
    Action("PATCH", "/channels/{channel_id}", "admin", P.CHANNEL_MANAGE, 200, {"name": "x"}),
    Action("DELETE", "/channels/{channel_id}", "admin", P.CHANNEL_MANAGE, 204),
    Action("POST", "/channels/{channel_id}/test", "admin", P.CHANNEL_MANAGE, 202),
    Action("POST", "/channels/{channel_id}/redeliver", "admin", P.DELIVERY_REDELIVER, 202, REDELIVERY),
    Action("GET", "/roots", "viewer", P.VIEW),
    Action("POST", "/roots", "admin", P.ROOTS_MANAGE, 201, lambda: {"pem": issue(Options(ca=True)).pem.decode()}),
    Action("DELETE", "/roots/{sha256}", "admin", P.ROOTS_MANAGE, 404),
    Action("GET", "/members", "viewer", P.VIEW),
    Action("GET", "/members/{user_id}", "viewer", P.VIEW),
    Action("PATCH", "/members/{user_id}", "admin", P.MEMBERS_MANAGE, 200, {"role": "approver"}),
    Action("DELETE", "/members/{user_id}", "admin", P.MEMBERS_MANAGE, 204),
    Action("GET", "/invitations", "admin", P.MEMBERS_MANAGE),
    Action("POST", "/invitations", "admin", P.MEMBERS_MANAGE, 201, {"role": "viewer"}),
    Action("DELETE", "/invitations/{invitation_id}", "admin", P.MEMBERS_MANAGE, 204),
    Action("GET", "/tokens", "viewer", P.TOKENS_PERSONAL),
    Action("POST", "/tokens", "viewer", P.TOKENS_PERSONAL, 201, {"kind": "personal", "name": "t"}),
    Action("POST", "/tokens", "viewer", P.TOKENS_PERSONAL, 201, {"kind": "feed", "name": "t"}),
    Action("POST", "/tokens", "admin", P.TOKENS_SERVICE, 201, {"kind": "service", "name": "t"}),
    Action("DELETE", "/tokens/{token_id}", "admin", P.TOKENS_SERVICE, 204),
    Action("GET", "/audit", "admin", P.AUDIT_VIEW),
    Action("GET", "/events", "viewer", P.FEED_READ),
    Action("GET", "/audit/export", "admin", P.AUDIT_EXPORT),
]


@pytest.fixture(scope="module")
def people(api: ApiServer) -> Iterator[dict[str, Person]]:
    """One person of each role in workspace one."""
    yield {role: add_person(api, api.one, role) for role in ROLES}
    remove_people(api)


@pytest.fixture
def ids(api: ApiServer) -> dict[str, str]:
    """Fresh things of workspace one, by the name of the path parameter."""
    with api.one.client() as owner:

        def made(path: str, body: dict[str, Any], name: str) -> str:
            return str(owner.post(path, json=body).json()[name])

        host_id = made("hosts", {"hostname": f"{uuid4()}.example"}, "host_id")
        channel_id = made("channels", CHANNEL, "channel_id")
        return {
            "workspace": "one",
            "host_id": host_id,
            "rule_id": made("rules", RULE, "rule_id"),
            "channel_id": channel_id,
            "snooze_id": made("snoozes", {"tag": str(uuid4()), "for": "1h"}, "snooze_id"),
            **observed(api, UUID(host_id), UUID(channel_id)),
            "token_id": made("tokens", {"kind": "service", "name": "t"}, "token_id"),
            "invitation_id": made("invitations", {"role": "viewer"}, "invitation_id"),
            "user_id": str(add_person(api, api.one, "member").user_id),
            "scan_id": str(uuid4()),
            "sha256": "0" * 64,
        }


def observed(api: ApiServer, host_id: UUID, channel_id: UUID) -> dict[str, str]:
    """An alert of the host, and its delivery on the channel."""
    alert = transition(TransitionKind.OPENED, workspace_id=api.one.workspace_id, host_id=host_id)
    delivery = Delivery(
        delivery_id=uuid4(),
        workspace_id=api.one.workspace_id,
        channel_id=channel_id,
        alert_id=alert.alert_id,
        status=DeliveryStatus.FAILED,
        attempt=1,
        at=alert.at,
    )
    put(api.admin_url, alert, delivery)
    return {"alert_id": str(alert.alert_id), "delivery_id": str(delivery.delivery_id)}


def send(client: httpx.Client, api: ApiServer, action: Action, ids: dict[str, str]) -> httpx.Response:
    body = action.body() if isinstance(action.body, Callable) else action.body  # type: ignore[arg-type]
    url = f"{api.base_url}{BASE}{action.path}".format(**ids)
    with client.stream(action.method, url, json=body) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # that one never ends
            answer.read()
        return answer


def name_of(action: Action) -> str:
    return f"{action.method} {action.path} ({action.permission})"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_each_role_may_do_its_part_and_no_more(
    api: ApiServer, people: dict[str, Person], ids: dict[str, str], action: Action, role: str
) -> None:
    with people[role].client() as client:
        answer = send(client, api, action, ids)
    if ROLES.index(role) >= ROLES.index(action.least):
        assert answer.status_code == action.status, answer.text
    else:
        assert answer.status_code == 403, answer.text
        problem = answer.json()
        assert (problem["required_role"], problem["permission"]) == (action.least, action.permission)


@pytest.mark.parametrize("action", ACTIONS, ids=name_of)
def test_a_token_without_the_scope_may_not_whatever_its_role(
    api: ApiServer, ids: dict[str, str], action: Action
) -> None:
    others = sorted({one.value for one in Permission} - {action.permission.value} - {P.WORKSPACE_MANAGE.value})
    with api.one.client() as owner:
        body = {"kind": "service", "name": "all but one", "role": "admin", "scopes": others}
        token = owner.post("tokens", json=body).json()["token"]
        client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    with client:
        answer = send(client, api, action, ids)
    assert (answer.status_code, answer.json().get("required_scope")) == (403, action.permission), answer.text


def test_every_address_of_a_workspace_is_in_the_table() -> None:
    tried = {(action.method, BASE + action.path.partition("?")[0]) for action in ACTIONS}
    served = {(one.method, one.path) for one in addresses(idle_app()) if one.path.startswith(BASE)} - OPEN_TO_ALL
    assert tried == served
