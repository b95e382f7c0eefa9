"""Settings of the REST app, `VIGILO_*`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from services.api.signin.settings import SignInSettings
from vigilo.adapters.egress_settings import DeliveryEgressSettings, ScanEgressSettings
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.secrets import SecretSettings
from vigilo.adapters.settings import CommaSeparated, Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ApiSettings(
    Settings, DatabaseSettings, SecretSettings, SignInSettings, ScanEgressSettings, DeliveryEgressSettings
):
    """What the REST app needs to know."""

    host: str = Field("127.0.0.1", description="Address the API listens on; loopback unless told otherwise")
    port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 takes a free one")
    allowed_hosts: Annotated[CommaSeparated, BeforeValidator(_lower)] = Field(
        LOOPBACK_NAMES, description="Host headers that are answered, without port; * for any"
    )
    api_embed_relay: bool = Field(True, description="Publish the outbox from this process")
    api_embed_projector: bool = Field(False, description="Make the read model in this process: less memory")
    projector_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL of the role vigilo_projector, for the embedded projector"
    )
    ready_urls: CommaSeparated = Field((), description="/readyz of the services a scan needs; all must be ready")
    smtp_host: str | None = Field(None, description="Mail server for e-mail channels; unset: there is no e-mail")
    owner_token: SecretStr | None = Field(None, description="Token the bootstrap registers instead of making one")

    @model_validator(mode="after")
    def _projector_has_a_database(self) -> ApiSettings:
        if self.api_embed_projector and self.projector_database_url is None:
            raise ValueError("VIGILO_API_EMBED_PROJECTOR needs VIGILO_PROJECTOR_DATABASE_URL")
        return self
