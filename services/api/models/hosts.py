"""Hosts as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic.json_schema import WithJsonSchema

from services.api.models.text import (
    REFERENCES_MAX,
    TAGS_MAX,
    Hostname,
    Instant,
    IpAddress,
    Line,
    Notes,
    ServerName,
    Tag,
    WebLink,
    distinct,
    refused,
)
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.hosts import Host, HostStatus, Interval, Probing, Protocol, Trust
from vigilo.events.topics import BadPoolName, check_pool


def _pool(text: str) -> str:
    try:
        return check_pool(text)
    except BadPoolName:
        allowed = "1 to 40 lower-case letters, digits and -, not beginning with now-"
        raise refused("pool", "it is not the name of a pool", allowed) from None


Pool = Annotated[str, AfterValidator(_pool)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=TAGS_MAX), AfterValidator(distinct)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]


class HostOptions(BaseModel):
    """What may be said about a host besides its name and port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: Interval = Field(Interval.H1, description="How often it is scanned")
    tags: Tags = Field((), description="Labels for lists, filters and the scope of rules", examples=[["prod"]])
    protocol: Protocol = Field(Protocol.AUTO, description="What is spoken before TLS; auto: by port and first bytes")
    sni: ServerName | None = Field(None, description="Name to send as SNI; default: the hostname")
    address: IpAddress | None = Field(None, description="Connect to this address instead of asking DNS")
    pool: Pool = Field("public", description="Which scanners: public, or a pool of this workspace")
    trust: Trust = Field(Trust.ANY, description="Which roots the chain must lead to")
    probing: Probing = Field(Probing.FULL, description="handshake-only: never enumerate versions and suites")
    owner: Line | None = Field(None, description="Who looks after it", examples=["team-payments"])
    notes: Notes | None = Field(None, description="Anything worth knowing")
    runbook_url: WebLink | None = Field(None, description="What to do when it fails; put into every message")
    references: Annotated[tuple[Line, ...], Field(max_length=REFERENCES_MAX)] = Field(
        (), description="Tickets, changes, assets", examples=[["CHG-1024"]]
    )


_ADD_EXAMPLE: JsonDict = {"hostname": "www.example.com", "port": 443, "interval": "1h", "tags": ["prod", "web"]}


class HostToAdd(HostOptions):
    """A host to watch. Only `hostname` is needed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ADD_EXAMPLE]})

    hostname: Hostname = Field(description="Name or IP address; no scheme, no path", examples=["www.example.com"])
    port: Port = Field(443, description="TCP port")


def _unset() -> Any:
    return None


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class HostPatch(HostOptions):
    """What is to change; fields that are left out stay as they are. Null removes what is optional."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    hostname: Hostname = Field(default_factory=_unset, description="Name or IP address", examples=["www.example.com"])
    port: Port = Field(default_factory=_unset, description="TCP port")

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class HostView(Host):
    """A host as answers show it."""

    href: str = Field(examples=["/api/v1/workspaces/default/hosts/018f3e5c-0000-7000-8000-000000000001"])


class HostListing(BaseModel):
    """Which hosts to list, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tag: Line | None = Field(None, max_length=64, description="Only hosts with this tag", examples=["prod"])
    q: Line | None = Field(
        None, max_length=200, description="Only hosts whose name contains this", examples=["example"]
    )
    status: HostStatus | None = Field(None, description="Default: all but deleted ones")
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class ScanAsked(BaseModel):
    """A scan that will happen in a moment. `scan_id` is also the id of the snapshot it ends in."""

    command_id: UUID
    scan_id: UUID
    host_id: UUID


_SHORT_LENGTH: Final = re.compile(r"(?P<count>\d{1,5})(?P<unit>[mhdw])")
_ISO_LENGTH: Final = re.compile(r"P(?=\w)(\d{1,3}W)?(\d{1,3}D)?(T(?=\d)(\d{1,5}H)?(\d{1,6}M)?)?")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _length(text: object) -> object:
    if not isinstance(text, str):
        raise refused("length", "it is not text", "such as 1h, 1d, 1w, or an ISO 8601 duration such as PT90M")
    if match := _SHORT_LENGTH.fullmatch(text):
        return timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if _ISO_LENGTH.fullmatch(text):
        return text
    raise refused("length", "it is not a length of time", "such as 1h, 1d, 1w, or an ISO 8601 duration such as PT90M")


Length = Annotated[
    timedelta, BeforeValidator(_length), WithJsonSchema({"type": "string", "examples": ["1h", "1d", "1w", "PT90M"]})
]


class SnoozeToStart(BaseModel):
    """How long the host's alerts are to be held back: either `for` or `until`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"for": "1d", "reason": "CHG-1024"}]}
    )

    length: Length | None = Field(None, alias="for", description="From now on: 1h, 1d, 1w, or an ISO 8601 duration")
    until: Instant | None = Field(None, description="Until then, with a time zone; at most a year from now")
    reason: Line = Field("", description="Why; shown with the host", examples=["CHG-1024"])

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.length is None) == (self.until is None):
            raise refused("snooze", "it needs one end", "either `for` or `until`")
        return self
