"""Settings of the notifier."""

from __future__ import annotations

import ssl
from pathlib import Path

from pydantic import Field, field_validator

from vigilo.adapters.egress import DeliveryEgress, parse_grants, parse_listeners
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.secrets import SecretSettings
from vigilo.adapters.settings import CommaSeparated, Settings


class NotifierSettings(Settings, DatabaseSettings, SecretSettings):
    """Beside what every service has: where deliveries may go, and what links in messages begin with."""

    public_url: str = Field("http://127.0.0.1:8080", description="Where people reach Vigilo; messages link there")
    delivery_allow: CommaSeparated = Field((), description="Private or unencrypted webhook targets (CIDR:port)")
    own_listeners: CommaSeparated = Field((), description="address:port of Vigilo itself, never connected to")
    delivery_ca: Path | None = Field(None, description="PEM roots trusted for deliveries; default: the system's")

    @field_validator("delivery_allow")
    @classmethod
    def _grants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_grants(value)
        return value

    @field_validator("own_listeners")
    @classmethod
    def _listeners(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_listeners(value)
        return value

    def egress(self) -> DeliveryEgress:
        """Where deliveries may go."""
        return DeliveryEgress(parse_grants(self.delivery_allow), parse_listeners(self.own_listeners))

    def tls(self) -> ssl.SSLContext:
        """What deliveries trust."""
        return ssl.create_default_context(cafile=None if self.delivery_ca is None else str(self.delivery_ca))
