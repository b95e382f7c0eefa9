"""How to reach a secured Kafka: one description, spoken to librdkafka, aiokafka and Faust alike.

Raises BadKafkaSecurity, which names the environment variable at fault.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

ENV = "VIGILO_KAFKA_"


class SecurityProtocol(StrEnum):
    """Kafka's own names (KIP-12)."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """Mechanisms that both client libraries speak with a user name and a password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class BadKafkaSecurity(ValueError):
    """Security settings that contradict each other or are not complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """A valid combination of security settings.

    SSL without `cafile` trusts what the system trusts. `certfile` and `keyfile` (PEM) are the client's own certificate.
    """

    protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    mechanism: SaslMechanism | None = None
    username: str | None = None
    password: str | None = None
    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None

    def __post_init__(self) -> None:
        self._check_sasl()
        self._check_ssl()

    def __repr__(self) -> str:
        return f"KafkaSecurity({self.protocol}, {self.mechanism}, username={self.username!r})"

    @property
    def sasl(self) -> bool:
        """True when a user name and a password are sent."""
        return self.protocol in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}

    @property
    def encrypted(self) -> bool:
        """True when the connection is TLS."""
        return self.protocol in {SecurityProtocol.SSL, SecurityProtocol.SASL_SSL}

    def for_librdkafka(self) -> dict[str, str]:
        """Configuration of a confluent-kafka client."""
        config = {"security.protocol": str(self.protocol)}
        if self.sasl:
            config["sasl.mechanism"] = str(self.mechanism)
            config["sasl.username"] = self.username or ""
            config["sasl.password"] = self.password or ""
        if self.encrypted:
            # `probe` looks in the places where distributions keep their roots; the wheel's own OpenSSL knows none.
            config["ssl.ca.location"] = str(self.cafile or "probe")
            config["ssl.endpoint.identification.algorithm"] = "https"
        if self.certfile is not None and self.keyfile is not None:
            config["ssl.certificate.location"] = str(self.certfile)
            config["ssl.key.location"] = str(self.keyfile)
        return config

    def for_aiokafka(self) -> dict[str, Any]:
        """Keyword arguments of an AIOKafkaConsumer, AIOKafkaProducer or AIOKafkaAdminClient."""
        arguments: dict[str, Any] = {"security_protocol": str(self.protocol)}
        if self.sasl:
            arguments["sasl_mechanism"] = str(self.mechanism)
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password
        if self.encrypted:
            arguments["ssl_context"] = self.ssl_context()
        return arguments

    def for_faust(self) -> Any:
        """The `broker_credentials` of a Faust app; None for PLAINTEXT."""
        import faust.auth

        if self.sasl:
            context = self.ssl_context() if self.encrypted else None
            return faust.auth.SASLCredentials(
                username=self.username, password=self.password, mechanism=str(self.mechanism), ssl_context=context
            )
        return faust.auth.SSLCredentials(self.ssl_context()) if self.encrypted else None

    def ssl_context(self) -> ssl.SSLContext:
        """A verifying client context; the server's name is checked. Raises BadKafkaSecurity for unusable files."""
        try:
            context = ssl.create_default_context(cafile=self.cafile)
        except (ssl.SSLError, OSError) as error:
            raise BadKafkaSecurity(f"{ENV}SSL_CAFILE: no certificates in {self.cafile}: {error}") from error
        if self.certfile is not None:
            self._load_own_certificate(context)
        return context

    def _load_own_certificate(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(str(self.certfile), self.keyfile)
        except (ssl.SSLError, OSError) as error:
            where = f"{ENV}SSL_CERTFILE and {ENV}SSL_KEYFILE"
            raise BadKafkaSecurity(
                f"{where}: {self.certfile} and {self.keyfile} do not fit together: {error}"
            ) from error

    def _check_sasl(self) -> None:
        given = {"SASL_MECHANISM": self.mechanism, "SASL_USERNAME": self.username, "SASL_PASSWORD": self.password}
        for name, value in given.items():
            if self.sasl and not value:
                raise BadKafkaSecurity(f"{ENV}{name} is missing: {ENV}SECURITY_PROTOCOL is {self.protocol}")
            if not self.sasl and value:
                raise BadKafkaSecurity(
                    f"{ENV}{name} is set, but {ENV}SECURITY_PROTOCOL is {self.protocol}: "
                    f"say {'SASL_SSL' if self.encrypted else 'SASL_PLAINTEXT or SASL_SSL'}"
                )

    def _check_ssl(self) -> None:
        given = {"SSL_CAFILE": self.cafile, "SSL_CERTFILE": self.certfile, "SSL_KEYFILE": self.keyfile}
        for name, path in given.items():
            if path is None:
                continue
            if not self.encrypted:
                raise BadKafkaSecurity(
                    f"{ENV}{name} is set, but {ENV}SECURITY_PROTOCOL is {self.protocol}: "
                    f"say {'SASL_SSL' if self.sasl else 'SSL'}"
                )
            if not path.is_file():
                raise BadKafkaSecurity(f"{ENV}{name}: there is no file {path}")
        if (self.certfile is None) != (self.keyfile is None):
            missing = "SSL_KEYFILE" if self.keyfile is None else "SSL_CERTFILE"
            raise BadKafkaSecurity(f"{ENV}{missing} is missing: a client certificate needs both files")
