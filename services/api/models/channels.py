"""Channels as requests ask for them and as answers show them: a secret goes in, and comes out once. Pure."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from services.api.models.text import Name, refused
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from services.api.webhooks import BadWebhookUrl, check_url
from vigilo.events.rules import Channel

SECRET_PREFIX = "whsec_"


def _url(text: str) -> str:
    try:
        return check_url(text)
    except BadWebhookUrl as error:
        raise refused("webhook_url", error.reason, error.allowed) from None


def _secret(text: str) -> str:
    """Source: Standard Webhooks, "Signature scheme": 24 to 64 random bytes, base64, after `whsec_`."""
    allowed = f"{SECRET_PREFIX} and the base64 of 24 to 64 random bytes"
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise refused("signing_secret", "it is no signing secret", allowed)
    return text


WebhookUrl = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_url)]
SigningSecret = Annotated[str, StringConstraints(max_length=200), AfterValidator(_secret)]

_EXAMPLE: JsonDict = {"kind": "webhook", "name": "On-call", "url": "https://hooks.example.com/vigilo"}


class ChannelToAdd(BaseModel):
    """A new channel."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["webhook"] = Field(description="Where messages go; webhooks follow Standard Webhooks")
    name: Name = Field(examples=["On-call"])
    url: WebhookUrl = Field(description="https and public, unless the operator allows more; kept secret", repr=False)
    secret: SigningSecret | None = Field(None, description="Signing secret; left out: one is made", repr=False)
    enabled: bool = Field(True, strict=True, description="A disabled channel gets nothing")


def _unset() -> Any:
    return None


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class ChannelPatch(BaseModel):
    """What is to change; fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_without_defaults)

    name: Name = Field(default_factory=_unset)
    url: WebhookUrl = Field(default_factory=_unset, repr=False)
    secret: SigningSecret = Field(default_factory=_unset, description="A new signing secret", repr=False)
    enabled: bool = Field(default_factory=_unset, strict=True)


class ChannelView(Channel):
    """A channel as answers show it: never its secret, of its address only where it leads."""

    href: str = Field(examples=["/api/v1/workspaces/default/channels/018f3e5c-0000-7000-8000-000000000003"])


class ChannelAdded(ChannelView):
    """A new channel with its signing secret, shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


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
