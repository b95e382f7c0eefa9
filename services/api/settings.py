"""Settings of the REST app, `VIGILO_*`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from services.api.signin.settings import SignInSettings
from vigilo.adapters.egress import DeliveryEgress, ScanEgress, parse_grants, parse_listeners, parse_networks
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.secrets import SecretSettings
from vigilo.adapters.settings import CommaSeparated, Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ApiSettings(Settings, DatabaseSettings, SecretSettings, SignInSettings):
    """What the REST app needs to know."""

    host: str = Field("127.0.0.1", description="Address the API listens on; loopback unless told otherwise")
    port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 takes a free one")
    allowed_hosts: Annotated[CommaSeparated, BeforeValidator(_lower)] = Field(
        LOOPBACK_NAMES, description="Host headers that are answered, without port; * for any"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    api_embed_relay: bool = Field(True, description="Publish the outbox from this process")
    api_embed_projector: bool = Field(False, description="Make the read model in this process: less memory")
    projector_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL of the role vigilo_projector, for the embedded projector"
    )
    ready_urls: CommaSeparated = Field((), description="/readyz of the services a scan needs; all must be ready")
    pool_allow: CommaSeparated = Field((), description="Private networks the public pool may scan (CIDRs)")
    delivery_allow: CommaSeparated = Field((), description="Private or unencrypted webhook targets (CIDR:port)")
    own_listeners: CommaSeparated = Field((), description="address:port of Vigilo itself, never connected to")
    owner_token: SecretStr | None = Field(None, description="Token the bootstrap registers instead of making one")

    @field_validator("pool_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value

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

    @model_validator(mode="after")
    def _projector_has_a_database(self) -> ApiSettings:
        if self.api_embed_projector and self.projector_database_url is None:
            raise ValueError("VIGILO_API_EMBED_PROJECTOR needs VIGILO_PROJECTOR_DATABASE_URL")
        return self

    def scan_egress(self) -> ScanEgress:
        """Where the public pool's scans may go."""
        return ScanEgress(parse_networks(self.pool_allow), parse_listeners(self.own_listeners))

    def delivery_egress(self) -> DeliveryEgress:
        """Where webhooks may go."""
        return DeliveryEgress(parse_grants(self.delivery_allow), parse_listeners(self.own_listeners))
