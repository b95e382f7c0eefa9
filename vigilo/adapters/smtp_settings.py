"""The operator's mail server as settings: the notifier sends through it, the API asks whether there is one."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum

from pydantic import Field, SecretStr, field_validator, model_validator

from vigilo.adapters.settings import Duration, EnvironmentSettings


class SmtpSecurity(StrEnum):
    """How the connection is encrypted. `none` goes only where VIGILO_DELIVERY_ALLOW allows it."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpSettings(EnvironmentSettings):
    """Where e-mail goes out (`VIGILO_SMTP_*`)."""

    smtp_host: str | None = Field(None, description="Mail server for e-mail channels; unset: there is no e-mail")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port; 465 goes with tls")
    smtp_security: SmtpSecurity = Field(SmtpSecurity.STARTTLS, description="starttls, tls or none")
    smtp_username: str | None = Field(None, description="User name, where the mail server asks for one")
    smtp_password: SecretStr | None = Field(None, description="Password, where the mail server asks for one")
    smtp_from: str | None = Field(None, description="Sender: an address, or Name <address>")
    smtp_timeout: Duration = Field(
        timedelta(seconds=30), le=timedelta(seconds=40), description="Longest wait for one mail, all steps together"
    )

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or "@" not in parseaddr(value)[1]):
            raise ValueError(f"not an address: {value!r}")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> SmtpSettings:
        if self.smtp_host is not None and self.smtp_from is None:
            raise ValueError("VIGILO_SMTP_HOST needs VIGILO_SMTP_FROM, the sender's address")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("VIGILO_SMTP_USERNAME and VIGILO_SMTP_PASSWORD go together")
        if self.smtp_username is not None and self.smtp_security is SmtpSecurity.NONE:
            raise ValueError("VIGILO_SMTP_SECURITY=none would send the password in the clear")
        return self

    @property
    def sends_mail(self) -> bool:
        """Whether e-mail channels can work here."""
        return self.smtp_host is not None
