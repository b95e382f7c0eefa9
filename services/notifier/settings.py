"""Settings of the notifier."""

from __future__ import annotations

import ssl
from pathlib import Path

from pydantic import Field

from vigilo.adapters.egress_settings import DeliveryEgressSettings
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.secrets import SecretSettings
from vigilo.adapters.settings import Settings
from vigilo.adapters.smtp_settings import SmtpSettings


class NotifierSettings(Settings, DatabaseSettings, SecretSettings, DeliveryEgressSettings, SmtpSettings):
    """Beside what every service has: where deliveries may go, and what links in messages begin with."""

    public_url: str = Field("http://127.0.0.1:8080", description="Where people reach Vigilo; messages link there")
    delivery_ca: Path | None = Field(None, description="PEM roots trusted for deliveries; default: the system's")

    def tls(self) -> ssl.SSLContext:
        """What deliveries trust."""
        return ssl.create_default_context(cafile=None if self.delivery_ca is None else str(self.delivery_ca))
