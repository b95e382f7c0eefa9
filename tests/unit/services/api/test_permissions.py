"""The table of who may do what, said a second time by hand; and that every route asks it."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from services.api.permissions import LEAST, OPEN_TO_ALL, PERMISSIONS, Permission, Role, allowed, may_grant
from tests.fakes.routes import addresses, idle_app

EVERYBODY = set(Role)
MEMBERS = {Role.MEMBER, Role.APPROVER, Role.ADMIN, Role.OWNER}
ADMINS = {Role.ADMIN, Role.OWNER}

TABLE: dict[Permission, set[Role]] = {
    Permission.VIEW: EVERYBODY,
    Permission.FEED_READ: EVERYBODY,
    Permission.HOST_ADD: MEMBERS,
    Permission.HOST_EDIT: MEMBERS,
    Permission.HOST_PAUSE: MEMBERS,
    Permission.HOST_SNOOZE: MEMBERS,
    Permission.HOST_SCAN: MEMBERS,
    Permission.HOST_DELETE: ADMINS,
    Permission.ALERT_ACKNOWLEDGE: MEMBERS,
    Permission.RULE_CREATE: ADMINS,
    Permission.RULE_EDIT: ADMINS,
    Permission.RULE_DELETE: ADMINS,
    Permission.RULE_SNOOZE: MEMBERS,
    Permission.RULE_PREVIEW: MEMBERS,
    Permission.CHANNEL_MANAGE: ADMINS,
    Permission.DELIVERY_REDELIVER: ADMINS,
    Permission.ROOTS_MANAGE: ADMINS,
    Permission.POOLS_MANAGE: ADMINS,
    Permission.WORK_ITEM_EDIT: MEMBERS,
    Permission.MEMBERS_MANAGE: ADMINS,
    Permission.TOKENS_PERSONAL: EVERYBODY,
    Permission.TOKENS_SERVICE: ADMINS,
    Permission.AUDIT_VIEW: ADMINS,
    Permission.AUDIT_EXPORT: ADMINS,
    Permission.WORKSPACE_MANAGE: {Role.OWNER},
}


@pytest.mark.parametrize("permission", Permission)
def test_the_table_says_what_the_brief_says(permission: Permission) -> None:
    assert {role for role in Role if allowed(role, permission)} == TABLE[permission]


def test_nothing_is_missing_from_the_table() -> None:
    assert set(LEAST) == set(Permission) == set(TABLE)
    assert set(PERMISSIONS) == set(Role)


def test_nobody_grants_above_himself_and_only_administrators_grant() -> None:
    grants = {(granter, role) for granter in Role for role in Role if may_grant(granter, role)}
    assert grants == {(Role.OWNER, role) for role in Role} | {(Role.ADMIN, role) for role in Role if role < Role.OWNER}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return idle_app()


def test_every_route_names_its_permission_or_stands_on_the_list(app: FastAPI) -> None:
    found = addresses(app)
    assert len(found) > 45
    nameless = {(one.method, one.path) for one in found if not one.permissions}
    assert nameless == OPEN_TO_ALL


def test_no_command_is_content_with_the_permission_to_look(app: FastAPI) -> None:
    for one in addresses(app):
        assert one.method == "GET" or Permission.VIEW not in one.permissions, one
