"""What a channel of each kind is made of: its address and keys, checked by form. Pure.

Where an address may lead is the operator's matter (services/api/commands/destinations.py).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from services.api.models.text import Name, Tag, distinct, refused
from services.api.webhooks import BadWebhookUrl, check_url
from vigilo.adapters.channel_credentials import (
    AlertmanagerCredentials,
    Credentials,
    EmailCredentials,
    PagerDutyCredentials,
    SlackCredentials,
    WebhookCredentials,
)
from vigilo.events.rules import Route, Severity
from vigilo.events.text import visible

SECRET_PREFIX: Final = "whsec_"
ROUTES_MAX: Final = 20
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")


def _url(text: str) -> str:
    try:
        return check_url(text)
    except BadWebhookUrl as error:
        raise refused("webhook_url", error.reason, error.allowed) from None


def _base_url(text: str) -> str:
    checked = _url(text)
    if "?" in checked:
        raise refused("base_url", "it has a query (?)", "such as https://alertmanager.example.com, or with a path")
    return checked.rstrip("/").removesuffix("/api/v2/alerts").removesuffix("/api/v2") + "/"


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


def _routing_key(text: str) -> str:
    if not _ROUTING_KEY.fullmatch(text):
        allowed = "the 32 letters and digits PagerDuty shows as the Integration Key (Events API v2)"
        raise refused("routing_key", f"it is no integration key: {len(text)} characters", allowed)
    return text


def _address(text: str) -> str:
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError as error:
        problem = f"{visible(text, limit=100)}: {visible(str(error), limit=200)}"
        raise refused("email_address", problem, "an e-mail address such as oncall@example.com") from None


def _somebody(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if not addresses:
        raise refused("addresses", "it is empty", "1 to 50 addresses")
    return distinct(addresses)


def _header_text(text: str) -> str:
    if not all(0x21 <= ord(char) <= 0x7E for char in text):
        raise refused("header_text", "it contains a space or a character outside ASCII", "printable ASCII, no spaces")
    return text


Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_url)]
BaseUrl = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_base_url)]
SigningSecret = Annotated[str, StringConstraints(max_length=200), AfterValidator(_secret)]
RoutingKey = Annotated[str, StringConstraints(max_length=200), AfterValidator(_routing_key)]
Address = Annotated[str, StringConstraints(max_length=254), AfterValidator(_address)]
# Not `min_length`: pydantic counts only what was good, and would complain twice.
Addresses = Annotated[
    tuple[Address, ...], Field(max_length=50, json_schema_extra={"minItems": 1}), AfterValidator(_somebody)
]
HeaderText = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_header_text)]


class AskedRoute(Route):
    """Alerts that come here although their rule does not name this channel: all three must fit, an empty one fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severities: Annotated[tuple[Severity, ...], Field(max_length=3)] = ()
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()
    rules: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()


Routes = Annotated[tuple[AskedRoute, ...], Field(max_length=ROUTES_MAX)]


class _ToAdd(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    # The fields that are sealed.
    sealed: ClassVar[tuple[str, ...]]
    credentials: ClassVar[type[Credentials]]

    name: Name = Field(examples=["On-call"])
    enabled: bool = Field(True, strict=True, description="A disabled channel gets nothing")
    routes: Routes = Field(
        (), description="Takes alerts of rules that do not name it, too: those that fit one of these"
    )

    def kept(self) -> Credentials:
        """What is to be sealed."""
        return self.credentials(**{name: getattr(self, name) for name in self.sealed})


def _example(**fields: Any) -> ConfigDict:
    example: JsonDict = {"name": "On-call", **fields}
    return ConfigDict(json_schema_extra={"examples": [example]})


class WebhookToAdd(_ToAdd):
    """Standard Webhooks: signed JSON."""

    model_config = _example(kind="webhook", url="https://hooks.example.com/vigilo")
    sealed = ("url", "secret")
    credentials = WebhookCredentials

    kind: Literal["webhook"]
    url: Url = Field(description="https and public, unless the operator allows more; kept secret", repr=False)
    secret: SigningSecret | None = Field(None, description="Signing secret; left out: one is made", repr=False)


class SlackToAdd(_ToAdd):
    """A Slack incoming webhook."""

    model_config = _example(kind="slack", url="https://hooks.slack.com/services/T000/B000/XXXX")
    sealed = ("url",)
    credentials = SlackCredentials

    kind: Literal["slack"]
    url: Url = Field(description="As Slack shows it; kept secret", repr=False)


class PagerDutyToAdd(_ToAdd):
    """A PagerDuty service, by its Events API v2 integration."""

    model_config = _example(kind="pagerduty", routing_key="0123456789abcdef0123456789abcdef", region="eu")
    sealed = ("routing_key", "region", "url")
    credentials = PagerDutyCredentials

    kind: Literal["pagerduty"]
    routing_key: RoutingKey = Field(description="The Integration Key, 32 characters; kept secret", repr=False)
    region: Literal["us", "eu"] = Field("us", description="Service region of the account")
    url: Url | None = Field(None, description="Of a relay in between; left out: PagerDuty's own address", repr=False)


class EmailToAdd(_ToAdd):
    """E-mail, sent by the operator's mail server."""

    model_config = _example(kind="email", to=["oncall@example.com"])
    sealed = ("to",)
    credentials = EmailCredentials

    kind: Literal["email"]
    to: Addresses = Field(description="Who gets it, 1 to 50 addresses", repr=False)


class AlertmanagerToAdd(_ToAdd):
    """A Prometheus Alertmanager, API v2: it groups and routes from there."""

    model_config = _example(kind="alertmanager", url="https://alertmanager.example.com/")
    sealed = ("url", "username", "password", "bearer_token")
    credentials = AlertmanagerCredentials

    kind: Literal["alertmanager"]
    url: BaseUrl = Field(description="Its base address; /api/v2/alerts is added", repr=False)
    username: HeaderText | None = Field(None, description="For basic authentication", repr=False)
    password: HeaderText | None = Field(None, description="For basic authentication", repr=False)
    bearer_token: HeaderText | None = Field(None, description="Instead of name and password", repr=False)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise refused("alertmanager", "one of `username` and `password` is missing", "both, or neither")
        if self.username is not None and self.bearer_token is not None:
            raise refused("alertmanager", "it has two ways in", "`username` and `password`, or `bearer_token`")
        if self.username is not None and ":" in self.username:
            raise refused("alertmanager", "`username` has a colon", "a name without colons (RFC 7617)")
        return self


ChannelToAdd = Annotated[
    WebhookToAdd | SlackToAdd | PagerDutyToAdd | EmailToAdd | AlertmanagerToAdd, Field(discriminator="kind")
]
KINDS: Final[dict[str, type[WebhookToAdd | SlackToAdd | PagerDutyToAdd | EmailToAdd | AlertmanagerToAdd]]] = {
    "webhook": WebhookToAdd,
    "slack": SlackToAdd,
    "pagerduty": PagerDutyToAdd,
    "email": EmailToAdd,
    "alertmanager": AlertmanagerToAdd,
}
