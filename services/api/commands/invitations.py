"""Invitations: what is made, what came of taking one, and how the audit log tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.api.audit.change import Change
from services.api.models.people import InvitationToMake
from services.api.permissions import Role
from services.api.problems import Problem


@dataclass(frozen=True, slots=True)
class Offer:
    """What an open invitation offers. `email`: the only address that may take it, if any."""

    invitation_id: UUID
    workspace_id: UUID
    slug: str
    name: str
    role: Role
    email: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking an invitation; only `joined` uses it up."""

    outcome: Literal["joined", "already-member", "other-address"]
    invitation_id: UUID
    workspace_id: UUID
    slug: str
    role: Role


def make(wanted: InvitationToMake, *, invitation_id: UUID, by: str, at: datetime) -> dict[str, Any]:
    """The columns of a new invitation."""
    return {
        "invitation_id": invitation_id,
        "role": wanted.role,
        "email": wanted.email,
        "created_by": by,
        "created_at": at,
        "expires_at": at + timedelta(hours=wanted.expires_in_hours),
    }


def made(values: Mapping[str, Any]) -> Change:
    """As the audit log tells it."""
    after = {"role": values["role"], "email": values["email"], "expires_at": values["expires_at"].isoformat()}
    return Change("invitation.create", f"invitation:{values['invitation_id']}", None, after)


def revoked(row: Mapping[str, Any]) -> Change:
    """As the audit log tells it."""
    before = {"role": row["role"], "email": row["email"]}
    return Change("invitation.revoke", f"invitation:{row['invitation_id']}", before, None)


def joined(taken: Taken, user_id: UUID) -> Change:
    """As the audit log of the joined workspace tells it."""
    after = {"role": taken.role.label, "source": "local", "invitation": str(taken.invitation_id)}
    return Change("member.join", f"user:{user_id}", None, after)


def check_open(row: Mapping[str, Any]) -> None:
    """Raises a 409 problem for an invitation that was taken: remove the member instead."""
    if row["state"] == "accepted":
        raise Problem(409, "invitation-accepted", "This invitation was taken already; remove the member instead.")


def check_taken(taken: Taken | None) -> Taken:
    """The success. Raises a 404 problem for a useless link, 409 for a member, 403 for another person's address."""
    if taken is None:
        raise Problem(404, "not-found", "There is no such invitation, or it was used, revoked or has expired.")
    if taken.outcome == "already-member":
        raise Problem(409, "already-member", f"You are a member of the workspace {taken.slug} already.")
    if taken.outcome == "other-address":
        raise Problem(403, "forbidden", "This invitation was made for another e-mail address.")
    return taken
