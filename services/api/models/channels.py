"""Channels as requests change them and as answers show them: a secret goes in, and comes out once. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.models.channel_kinds import Routes
from services.api.models.text import Name
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.rules import Channel


def _unset() -> Any:
    return None


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class ChannelPatch(BaseModel):
    """What is to change; fields that are left out stay as they are. Address and keys are those of its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_without_defaults)

    name: Name = Field(default_factory=_unset)
    enabled: bool = Field(default_factory=_unset, strict=True)
    routes: Routes = Field(default_factory=_unset)
    # Judged with the rest of the channel, by the model of its kind.
    url: str | None = Field(default_factory=_unset, description="webhook, slack, alertmanager, pagerduty", repr=False)
    secret: str = Field(default_factory=_unset, description="webhook: a new signing secret", repr=False)
    routing_key: str = Field(default_factory=_unset, description="pagerduty", repr=False)
    region: Literal["us", "eu"] = Field(default_factory=_unset, description="pagerduty")
    to: tuple[str, ...] = Field(default_factory=_unset, max_length=50, description="email", repr=False)
    username: str | None = Field(default_factory=_unset, description="alertmanager", repr=False)
    password: str | None = Field(default_factory=_unset, description="alertmanager", repr=False)
    bearer_token: str | None = Field(default_factory=_unset, description="alertmanager", repr=False)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class ChannelView(Channel):
    """A channel as answers show it: never its secret, of its address only where it leads."""

    href: str = Field(examples=["/api/v1/workspaces/default/channels/018f3e5c-0000-7000-8000-000000000003"])


class ChannelAdded(ChannelView):
    """A new channel; of a webhook the signing secret too, shown this once."""

    secret: str | None = Field(None, examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class ChannelHealth(BaseModel):
    """How messages fare on a channel, as far as the history goes."""

    last_delivered_at: datetime | None = Field(None, description="When a message last arrived")
    failing_since: datetime | None = Field(
        None, description="What did not arrive, or not yet, since the last that did: of when the oldest is"
    )
    last_error: str | None = Field(None, description="Why, of the newest of these")
    waiting: int = Field(description="Messages that will be tried again")


class ChannelDetail(ChannelView):
    """A channel and how its messages fare."""

    health: ChannelHealth


class ChannelListing(BaseModel):
    """Which page of the channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class TestAsked(BaseModel):
    """A test message that will be sent in a moment; its delivery shows among the deliveries."""

    __test__ = False

    command_id: UUID
    channel_id: UUID
