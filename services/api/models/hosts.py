"""Hosts as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.api.models.text import (
    REFERENCES_MAX,
    TAGS_MAX,
    Hostname,
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
