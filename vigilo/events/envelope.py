"""What surrounds an event on its way through Kafka: CloudEvents 1.0 in binary mode.

Source: CloudEvents 1.0, Kafka protocol binding, section 3.2 (binary content mode).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

Headers = tuple[tuple[str, bytes], ...]


class Event(BaseModel):
    """One fact or one command, frozen. Readers ignore fields they do not know.

    `type_name` is the kebab-case name of the event: its `ce_type` is `vigilo.<type_name>.v<version>`,
    its schema file `schemas/events/<type_name>.v<version>.schema.json`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="iso8601")

    type_name: ClassVar[str]
    version_number: ClassVar[int] = 1

    @classmethod
    def ce_type(cls) -> str:
        """`vigilo.<type_name>.v<version>`, the CloudEvents type attribute."""
        return f"vigilo.{cls.type_name}.v{cls.version_number}"


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event decided but not yet encoded. `event=None` writes a tombstone.

    `topic` is the logical name (no prefix); `key` a lower-case canonical UUID or a hostname; `time` is UTC-aware
    and becomes `ce_time`; `id` is derived (vigilo.events.ids), never random, so a repeat carries the same one.
    """

    topic: str
    key: str
    id: UUID
    event: Event | None
    time: datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """Bytes ready to be produced. `topic` is still the logical name; producers add the prefix.

    `key` is None only for a dead letter whose original had none.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read from Kafka, undecoded.

    `topic` is the logical name; `timestamp_ms` the broker's append time in milliseconds since the epoch.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> str | None:
        """The first header of that name as text, or None; undecodable bytes count as absent."""
        for key, value in self.headers:
            if key == name:
                try:
                    return value.decode("utf-8")
                except UnicodeDecodeError:
                    return None
        return None
