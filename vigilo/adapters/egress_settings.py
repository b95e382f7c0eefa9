"""The egress policy as settings, the same for every service that connects somewhere or checks where others may."""

from __future__ import annotations

from pydantic import Field, field_validator

from vigilo.adapters.egress import DeliveryEgress, ScanEgress, parse_grants, parse_listeners, parse_networks
from vigilo.adapters.settings import CommaSeparated, EnvironmentSettings


class OwnListenersSettings(EnvironmentSettings):
    """What nobody may connect to: ourselves."""

    own_listeners: CommaSeparated = Field(
        (), description="address:port of Vigilo's own listeners, by commas; never connected to"
    )

    @field_validator("own_listeners")
    @classmethod
    def _listeners(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_listeners(value)
        return value


class ScanEgressSettings(OwnListenersSettings):
    """Where scans of one pool may go."""

    pool_allow: CommaSeparated = Field(
        (), description="Private networks (CIDR, by commas) that scans may go to; default: none"
    )

    @field_validator("pool_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value

    def scan_egress(self) -> ScanEgress:
        """The policy for scans."""
        return ScanEgress(parse_networks(self.pool_allow), parse_listeners(self.own_listeners))


class DeliveryEgressSettings(OwnListenersSettings):
    """Where deliveries may go."""

    delivery_allow: CommaSeparated = Field(
        (), description="Private or unencrypted delivery targets (CIDR:port, by commas); default: https to the public"
    )

    @field_validator("delivery_allow")
    @classmethod
    def _grants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_grants(value)
        return value

    def delivery_egress(self) -> DeliveryEgress:
        """The policy for deliveries."""
        return DeliveryEgress(parse_grants(self.delivery_allow), parse_listeners(self.own_listeners))
