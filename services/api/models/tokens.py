"""Tokens as requests ask for them and as answers show them: the token itself comes out once. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.api.auth import TOKEN_PREFIX
from services.api.models.people import RoleName
from services.api.models.text import Name
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from services.api.permissions import Permission

_EXAMPLE: JsonDict = {"kind": "service", "name": "deploy", "role": "member", "scopes": ["view", "host.add"]}

Kind = Literal["personal", "service", "feed"]


def _each_once(scopes: Any) -> Any:
    return (
        list(dict.fromkeys(scopes)) if isinstance(scopes, list) and all(isinstance(s, str) for s in scopes) else scopes
    )


class TokenToMake(BaseModel):
    """A new token."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    kind: Kind = Field(
        description="personal: acts as you; service: a machine's, at most admin; feed: reads feeds, nothing else"
    )
    name: Name = Field(examples=["deploy"])
    role: RoleName | None = Field(None, description="At most your own. Default: personal yours, else viewer")
    scopes: Annotated[list[Permission], BeforeValidator(_each_once)] | None = Field(
        None,
        min_length=1,
        max_length=len(Permission),
        description="What it may do, within its role. Default: all its role may",
    )
    expires_in_days: int | None = Field(90, ge=1, le=3650, description="When it ends; null: never", examples=[90])


class TokenView(BaseModel):
    """A token; never its secret."""

    token_id: UUID
    kind: Literal["personal", "service", "feed", "installation"]
    name: str
    role: RoleName = Field(description="The role it was made with; a user's token never exceeds the user's present one")
    scopes: list[str] | None
    user_id: UUID | None = Field(description="Whose it is; it ends with the membership")
    created_by: str | None = Field(examples=["user:018f3e5c-0000-7000-8000-000000000001"])
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute")
    revoked_at: datetime | None = None


class TokenMade(TokenView):
    """A new token and its secret, shown this once."""

    token: str = Field(examples=[TOKEN_PREFIX + "a" * 43])


class TokenListing(BaseModel):
    """Which tokens, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["personal", "service", "feed", "installation"] | None = Field(None, description="Default: all kinds")
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None
