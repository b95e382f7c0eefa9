"""What the projector is told by the environment."""

from __future__ import annotations

from pydantic import Field, SecretStr

from vigilo.adapters.settings import Settings


class ProjectorSettings(Settings):
    """Settings of `python -m services.api.projector`."""

    database_url: SecretStr = Field(description="PostgreSQL URL of the role vigilo_projector")
