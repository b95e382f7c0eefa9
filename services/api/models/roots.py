"""Private trust anchors as requests ask for them and as answers show them. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.api.models.text import refused
from vigilo.events.text import PeerText

PEM_MAX = 64 * 1024
_BEGIN = "-----BEGIN CERTIFICATE-----"
_EXAMPLE: JsonDict = {"from_host": "018f3e5c-0000-7000-8000-000000000001", "certificate": "a1" * 32}


def _one_certificate(pem: str) -> str:
    # Not in the schema: a request that breaks it there is mostly one too long to be read at all (413).
    if len(pem) > PEM_MAX:
        raise refused("pem", f"it has {len(pem)} characters", f"at most {PEM_MAX}")
    if pem.count(_BEGIN) != 1:
        raise refused("pem", f"it holds {pem.count(_BEGIN)} certificates", f"exactly one, between {_BEGIN} and its END")
    return pem


Pem = Annotated[str, AfterValidator(_one_certificate)]
Fingerprint = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class RootToAdd(BaseModel):
    """A certificate to trust: as PEM, or one that a host of the workspace shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    pem: Pem | None = Field(
        None, description="One certificate, at most 65536 characters; other text around it is dropped"
    )
    from_host: UUID | None = Field(None, description="A host whose newest chain holds the certificate")
    certificate: Fingerprint | None = Field(None, description="SHA-256 of the DER in lower-case hex, beside from_host")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_host = self.from_host is not None and self.certificate is not None
        any_of_host = self.from_host is not None or self.certificate is not None
        if (self.pem is not None) == any_of_host or any_of_host != by_host:
            raise refused("root", "it must be said in one way", "pem alone, or from_host and certificate together")
        return self


class AnchorKind(StrEnum):
    """What trusting the certificate means: all below a root or an intermediate, or this one leaf."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    PINNED_LEAF = "pinned-leaf"


class RootView(BaseModel):
    """A certificate the workspace trusts beside the public roots."""

    sha256: str = Field(examples=["a1" * 32])
    kind: AnchorKind
    subject: PeerText
    issuer: PeerText
    not_before: datetime | None
    not_after: datetime | None
    pem: str
    href: str


class RootAdded(RootView):
    """`rescans`: hosts that are looked at and judged again at once; all others are at their next scan."""

    rescans: int = Field(examples=[3])


class RootsView(BaseModel):
    """In the order they were added."""

    items: list[RootView]
