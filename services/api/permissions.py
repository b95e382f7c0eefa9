"""Who may do what: one table, one question. Pure.

Every route names its permission (`writing.once(Permission.X, ...)` or `reading(Permission.X)`); those that need none
stand on the list OPEN_TO_ALL. A test walks all routes. Source: OWASP API Security 2023 API5; ASVS 5.0 8.2.1, 8.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class Role(IntEnum):
    """What somebody is in a workspace; each role may do what the ones below may."""

    VIEWER = 1
    MEMBER = 2
    APPROVER = 3
    ADMIN = 4
    OWNER = 5

    @classmethod
    def named(cls, label: str) -> Role:
        """The role the API and the database spell so. Raises KeyError."""
        return cls[label.upper()]

    @property
    def label(self) -> str:
        """As the API and the database spell it."""
        return self.name.lower()


class Permission(StrEnum):
    """One kind of action in a workspace."""

    VIEW = "view"
    FEED_READ = "feed.read"
    HOST_ADD = "host.add"
    HOST_EDIT = "host.edit"
    HOST_PAUSE = "host.pause"
    HOST_SNOOZE = "host.snooze"
    HOST_SCAN = "host.scan"
    HOST_DELETE = "host.delete"
    ALERT_ACKNOWLEDGE = "alert.acknowledge"
    RULE_CREATE = "rule.create"
    RULE_EDIT = "rule.edit"
    RULE_DELETE = "rule.delete"
    RULE_SNOOZE = "rule.snooze"
    RULE_PREVIEW = "rule.preview"
    CHANNEL_MANAGE = "channel.manage"
    DELIVERY_REDELIVER = "delivery.redeliver"
    ROOTS_MANAGE = "roots.manage"
    POOLS_MANAGE = "pools.manage"
    WORK_ITEM_EDIT = "work-item.edit"
    MEMBERS_MANAGE = "members.manage"
    TOKENS_PERSONAL = "tokens.personal"
    TOKENS_SERVICE = "tokens.service"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    WORKSPACE_MANAGE = "workspace.manage"


# The lowest role that has it.
LEAST: Final[Mapping[Permission, Role]] = MappingProxyType(
    {
        Permission.VIEW: Role.VIEWER,
        Permission.FEED_READ: Role.VIEWER,
        Permission.HOST_ADD: Role.MEMBER,
        Permission.HOST_EDIT: Role.MEMBER,
        Permission.HOST_PAUSE: Role.MEMBER,
        Permission.HOST_SNOOZE: Role.MEMBER,
        Permission.HOST_SCAN: Role.MEMBER,
        Permission.HOST_DELETE: Role.ADMIN,
        Permission.ALERT_ACKNOWLEDGE: Role.MEMBER,
        Permission.RULE_CREATE: Role.ADMIN,
        Permission.RULE_EDIT: Role.ADMIN,
        Permission.RULE_DELETE: Role.ADMIN,
        Permission.RULE_SNOOZE: Role.MEMBER,
        Permission.RULE_PREVIEW: Role.MEMBER,
        Permission.CHANNEL_MANAGE: Role.ADMIN,
        Permission.DELIVERY_REDELIVER: Role.ADMIN,
        Permission.ROOTS_MANAGE: Role.ADMIN,
        Permission.POOLS_MANAGE: Role.ADMIN,
        Permission.WORK_ITEM_EDIT: Role.MEMBER,
        Permission.MEMBERS_MANAGE: Role.ADMIN,
        Permission.TOKENS_PERSONAL: Role.VIEWER,
        Permission.TOKENS_SERVICE: Role.ADMIN,
        Permission.AUDIT_VIEW: Role.ADMIN,
        Permission.AUDIT_EXPORT: Role.ADMIN,
        Permission.WORKSPACE_MANAGE: Role.OWNER,
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {role: frozenset(one for one, least in LEAST.items() if role >= least) for role in Role}
)

# Routes that ask for no permission, by method and path: they tell nothing of a workspace, or ask in their own way.
OPEN_TO_ALL: Final = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api"),
        ("GET", "/api/v1"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/docs"),
        ("GET", "/"),
        ("GET", "/assets/vigilo.css"),
        ("GET", "/assets/vigilo.svg"),
        # How people get in and out; each asks for a secret, or for a session and its anti-forgery token.
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/sign-in/link/{secret}"),
        ("POST", "/sign-in/link/{secret}"),
        ("GET", "/sign-in/oidc"),
        ("GET", "/sign-in/oidc/callback"),
        ("GET", "/invitations/{secret}"),
        ("POST", "/invitations/{secret}"),
        # A person's own account, whatever the person may do in whichever workspace.
        ("GET", "/account"),
        ("POST", "/account/password"),
        ("POST", "/account/sessions/{session_id}/end"),
        # Answers with the caller's own places only.
        ("GET", "/api/v1/workspaces"),
        # The invitation itself is the permission; the caller must be a user.
        ("POST", "/api/v1/invitations/accept"),
    }
)


def allowed(role: Role, permission: Permission) -> bool:
    """True when that role has that permission."""
    return permission in PERMISSIONS[role]


def may_grant(granter: Role, role: Role) -> bool:
    """True when a holder of `granter` may make somebody that, or unmake one: nobody reaches above himself."""
    return allowed(granter, Permission.MEMBERS_MANAGE) and role <= granter
