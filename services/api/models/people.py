"""Members, invitations and workspaces as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.api.models.text import refused
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from services.api.permissions import Permission

INVITATION_PREFIX: Final = "vgi_"
INVITATION_PATH: Final = "/invitations/"
HOURS: Final = 72

RoleName = Literal["viewer", "member", "approver", "admin", "owner"]


def _email(text: str) -> str:
    name, at, domain = text.strip().lower().rpartition("@")
    if not name or not domain or any(char.isspace() or not char.isprintable() for char in text.strip()):
        raise refused("email", "it is no e-mail address", "an address such as ann@example.com")
    return f"{name}{at}{domain}"


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
InvitationToken = Annotated[str, StringConstraints(pattern=f"^{INVITATION_PREFIX}[A-Za-z0-9_-]{{43}}$")]


class PeopleListing(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class MemberView(BaseModel):
    """A person in this workspace."""

    user_id: UUID
    name: str = Field(examples=["Ann"])
    email: str | None = Field(examples=["ann@example.com"])
    role: RoleName
    source: Literal["local", "oidc"] = Field(description="oidc: the role follows a group of the identity provider")
    joined_at: datetime
    disabled: bool = Field(description="The account is shut in all workspaces")
    href: str = Field(examples=["/api/v1/workspaces/default/members/018f3e5c-0000-7000-8000-000000000001"])


class MemberPatch(BaseModel):
    """Another role for a member."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"role": "admin"}]})

    role: RoleName


class InvitationToMake(BaseModel):
    """An invitation by link: who has the link may take it, once."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"role": "member"}]})

    role: RoleName
    email: Email | None = Field(
        None, description="Only an account with this address may take it", examples=["ann@example.com"]
    )
    expires_in_hours: int = Field(HOURS, ge=1, le=720, description="How long the link works")


class InvitationView(BaseModel):
    """An invitation; never its link."""

    invitation_id: UUID
    role: RoleName
    email: str | None
    state: Literal["open", "accepted", "revoked", "expired"]
    created_by: str = Field(examples=["user:018f3e5c-0000-7000-8000-000000000001"])
    created_at: datetime
    expires_at: datetime
    accepted_by: UUID | None = None
    accepted_at: datetime | None = None


class InvitationMade(InvitationView):
    """A new invitation and its secret, shown this once."""

    token: str = Field(examples=[INVITATION_PREFIX + "a" * 43])
    path: str = Field(
        description="The link, to be put after this server's address",
        examples=[INVITATION_PATH + INVITATION_PREFIX + "a" * 43],
    )


class InvitationTaken(BaseModel):
    """The secret of an invitation."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"token": INVITATION_PREFIX + "a" * 43}]}
    )

    token: InvitationToken = Field(examples=[INVITATION_PREFIX + "a" * 43])


class Place(BaseModel):
    """A workspace the caller is in."""

    workspace_id: UUID
    slug: str = Field(examples=["default"])
    name: str = Field(examples=["Default"])
    role: RoleName


class Places(BaseModel):
    """All workspaces of the caller, by short name."""

    items: list[Place]


class WorkspaceView(Place):
    """One workspace, and what the caller may do in it."""

    permissions: list[Permission] = Field(description="What this caller may do; a token's scopes narrow it")
