"""What becomes of a member when somebody gives another role or takes the place away; who may be invited. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.api.audit.change import Change
from services.api.permissions import Role, may_grant
from services.api.problems import Problem


@dataclass(frozen=True, slots=True)
class Member:
    """A user's place in one workspace. `source`: `local` (given by hand) or `oidc` (from a group)."""

    user_id: UUID
    name: str
    email: str | None
    role: Role
    source: Literal["local", "oidc"]
    joined_at: datetime
    disabled: bool


def give_role(member: Member, role: Role, *, by: Role, other_owners: int) -> Member:
    """The member with that role; the same one if he has it already. Raises 403 and 409 problems.

    A role given by hand no longer follows a group.
    """
    _may_reach(by, member.role)
    _may_reach(by, role)
    if role is member.role:
        return member
    _keep_an_owner(member, other_owners)
    return replace(member, role=role, source="local")


def remove(member: Member, *, by: Role, other_owners: int) -> None:
    """Raises a 403 or 409 problem if the member must stay."""
    _may_reach(by, member.role)
    _keep_an_owner(member, other_owners)


def invite(role: Role, *, by: Role) -> None:
    """Raises a 403 problem for an invitation above the inviter's own role."""
    _may_reach(by, role)


def role_changed(before: Member, after: Member) -> Change:
    """As the audit log tells it."""
    return Change("member.role", _subject(before), _told(before), _told(after))


def removed(member: Member) -> Change:
    """As the audit log tells it."""
    return Change("member.remove", _subject(member), _told(member), None)


def _subject(member: Member) -> str:
    return f"user:{member.user_id}"


def _told(member: Member) -> dict[str, Any]:
    return {"role": member.role.label, "source": member.source}


def _may_reach(by: Role, role: Role) -> None:
    if not may_grant(by, role):
        detail = f"The role {role.label} is given and taken by those who have it; yours here is {by.label}."
        raise Problem(403, "forbidden", detail, required_role=role.label)


def _keep_an_owner(member: Member, other_owners: int) -> None:
    if member.role is Role.OWNER and other_owners == 0:
        detail = "This is the last owner of the workspace. Make somebody else an owner first."
        raise Problem(409, "last-owner", detail)
