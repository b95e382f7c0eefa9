"""Settings of the notifier."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from services.notifier.planning import Limits
from vigilo.adapters.egress_settings import DeliveryEgressSettings
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.secrets import SecretSettings
from vigilo.adapters.settings import Settings
from vigilo.adapters.smtp_settings import SmtpSettings


class NotifierSettings(Settings, DatabaseSettings, SecretSettings, DeliveryEgressSettings, SmtpSettings):
    """Beside what every service has: where deliveries may go, and what links in messages begin with."""

    public_url: str = Field("http://127.0.0.1:8080", description="Where people reach Vigilo; messages link there")
    delivery_ca: Path | None = Field(None, description="PEM roots trusted for deliveries; default: the system's")
    delivery_digest_from: int = Field(5, ge=2, le=1000, description="Alerts of a rule that make a digest")
    delivery_circuit_failures: int = Field(5, ge=1, le=100, description="Failures in a row that open a circuit")
    delivery_failing_minutes: int = Field(15, ge=1, le=1440, description="Then others are told of the channel")

    def limits(self) -> Limits:
        """How deliveries are paced and joined."""
        return Limits(
            digest_from=self.delivery_digest_from,
            opens_after=self.delivery_circuit_failures,
            tell_after=timedelta(minutes=self.delivery_failing_minutes),
        )

    def tls(self) -> ssl.SSLContext:
        """What deliveries trust."""
        return ssl.create_default_context(cafile=None if self.delivery_ca is None else str(self.delivery_ca))
