"""Settings of sign-in and of the pages, `VIGILO_*`."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from services.api.signin.groups import GroupRole, parse_group_map
from vigilo.adapters.egress import parse_grants, parse_networks
from vigilo.adapters.settings import CommaSeparated, Duration, EnvironmentSettings

CALLBACK_PATH: Final = "/sign-in/oidc/callback"
_SHORTEST_SESSION: Final = timedelta(minutes=1)


class SignInSettings(EnvironmentSettings):
    """Where people reach Vigilo, how long they stay signed in, and the OpenID Connect issuer if there is one."""

    public_url: str = Field(
        "http://127.0.0.1:8080", description="Where people reach Vigilo; https makes cookies secure"
    )
    trusted_proxies: CommaSeparated = Field(
        (), description="Networks of the reverse proxies whose X-Forwarded-For names the client (CIDRs)"
    )
    session_idle: Duration = Field(timedelta(hours=12), description="A session unused for so long ends")
    session_lifetime: Duration = Field(timedelta(days=7), description="A session ends after so long in any case")
    oidc_issuer: str | None = Field(None, description="Issuer of OpenID Connect, exactly as its tokens name it")
    oidc_client_id: str | None = Field(None, description="Our id at the issuer")
    oidc_client_secret: SecretStr | None = Field(None, description="Our secret at the issuer; unset: a public client")
    oidc_name: str = Field("single sign-on", description="What the sign-in page calls the issuer")
    oidc_scopes: str = Field("openid email profile", description="Scopes asked for, separated by spaces")
    oidc_groups_claim: str = Field("groups", description="Claim that names a person's groups")
    oidc_group_map: CommaSeparated = Field((), description="group=workspace:role, separated by commas; never owner")
    oidc_hosts: CommaSeparated = Field((), description="Other hosts the issuer's endpoints may be on")
    oidc_allow: CommaSeparated = Field((), description="Private or unencrypted issuers (CIDR:port)")
    oidc_ca: Path | None = Field(None, description="PEM roots trusted for the issuer; default: the system's")

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("http(s)://host[:port], without a path")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value

    @field_validator("oidc_allow")
    @classmethod
    def _oidc_grants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_grants(value)
        return value

    @field_validator("oidc_group_map")
    @classmethod
    def _mapped(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_group_map(value)
        return value

    @field_validator("session_idle", "session_lifetime")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < _SHORTEST_SESSION:
            raise ValueError("at least one minute")
        return value

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> SignInSettings:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("VIGILO_OIDC_ISSUER and VIGILO_OIDC_CLIENT_ID belong together")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("VIGILO_OIDC_SCOPES must contain openid")
        return self

    @property
    def behind_tls(self) -> bool:
        """True where people come by https, whoever ends TLS."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """The name people reach Vigilo by, without port; brackets of an IPv6 address stay."""
        return (
            urlsplit(self.public_url)
            .netloc.rpartition("@")[2]
            .removesuffix(f":{urlsplit(self.public_url).port}")
            .lower()
        )

    def group_map(self) -> tuple[GroupRole, ...]:
        """Which groups stand for which roles."""
        return parse_group_map(self.oidc_group_map)

    def oidc_tls(self) -> ssl.SSLContext:
        """What is trusted when the issuer is asked."""
        return ssl.create_default_context(cafile=None if self.oidc_ca is None else str(self.oidc_ca))
