"""Settings by environment: `VIGILO_<FIELD>`, or `VIGILO_<FIELD>_FILE` naming a file that holds the value.

Each service has one class in services/<name>/settings.py that derives from `Settings`; `read` makes it, `listed` shows
it with secrets masked. Nothing is read at import time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from vigilo.adapters.kafka.security import KafkaSecurity, SaslMechanism, SecurityProtocol

PREFIX = "VIGILO_"
MASK = "********"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
# Kafka allows 249 characters; the longest logical name and a pool's name must still fit behind the prefix.
_TOPIC_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}|")


class BadSettings(Exception):
    """Settings nobody can start with; the message names each variable and says what is wrong."""


def parse_duration(value: object) -> object:
    """`30s`, `15m`, `6h`, `400d` as a timedelta; anything else is left to pydantic (ISO 8601, timedelta)."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    return value


def split_commas(value: object) -> object:
    """`a, b` as ("a", "b"); anything else is left to pydantic."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]


class _FromFiles(EnvSettingsSource):
    """Reads each field from the environment, or from the file that its `_FILE` variable names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        direct, key, is_complex = super().get_field_value(field, field_name)
        variable = variable_of(self.settings_cls, field_name)
        path = os.environ.get(f"{variable}_FILE")
        if path is None:
            return direct, key, is_complex
        if direct is not None:
            raise BadSettings(f"{variable} and {variable}_FILE are both set: keep one")
        return _content(Path(path), variable), key, is_complex


def _content(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{variable}_FILE: cannot read {path}: {error}") from error


class EnvironmentSettings(BaseSettings):
    """The manner of all settings: frozen, environment only, `_FILE` variants, empty means unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment; no dotenv, no secrets folder."""
        return init_settings, _FromFiles(settings_cls)


class KafkaSettings(EnvironmentSettings):
    """Where Kafka is and how to speak to it (`VIGILO_KAFKA_*`)."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}KAFKA_")

    bootstrap: str = Field("127.0.0.1:9092", description="Brokers, host:port, separated by commas")
    topic_prefix: str = Field("vigilo-", description="Put before every topic name")
    group_prefix: str | None = Field(None, description="Put before every consumer group; default: the topic prefix")
    host_partitions: int = Field(
        12, ge=1, le=1000, description="Partitions of every host-keyed topic; fixed once topics exist"
    )
    batch_size: int = Field(
        200, ge=1, le=10_000, description="Events of a stream service that share their acknowledgements at most"
    )
    replication: int = Field(1, ge=1, le=9, description="Copies of every topic; 3 on a real cluster")
    security_protocol: SecurityProtocol = Field(
        SecurityProtocol.PLAINTEXT, description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    sasl_mechanism: SaslMechanism | None = Field(None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    sasl_username: str | None = Field(None, description="User name for SASL")
    sasl_password: SecretStr | None = Field(None, description="Password for SASL")
    ssl_cafile: Path | None = Field(None, description="PEM roots to trust; default: the system's")
    ssl_certfile: Path | None = Field(None, description="PEM client certificate")
    ssl_keyfile: Path | None = Field(None, description="PEM key of the client certificate")

    @field_validator("security_protocol", "sasl_mechanism", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("bootstrap")
    @classmethod
    def _brokers(cls, value: str) -> str:
        brokers = [broker.strip() for broker in value.split(",")]
        for broker in brokers:
            if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}", broker):
                raise ValueError(f"not host:port: {broker!r}")
        return ",".join(brokers)

    @field_validator("topic_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _TOPIC_PREFIX.fullmatch(value):
            raise ValueError("lower-case letters, digits, - and _ only, at most 63")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> KafkaSettings:
        self.security()
        return self

    def security(self) -> KafkaSecurity:
        """The security description. Raises BadKafkaSecurity (only while the settings are being validated)."""
        return KafkaSecurity(
            protocol=self.security_protocol,
            mechanism=self.sasl_mechanism,
            username=self.sasl_username,
            password=self.sasl_password.get_secret_value() if self.sasl_password else None,
            cafile=self.ssl_cafile,
            certfile=self.ssl_certfile,
            keyfile=self.ssl_keyfile,
        )

    def group(self, name: str) -> str:
        """The full name of a consumer group."""
        return f"{self.topic_prefix if self.group_prefix is None else self.group_prefix}{name}"

    def physical(self, topic: str) -> str:
        """The topic's name in Kafka."""
        return f"{self.topic_prefix}{topic}"

    def logical(self, topic: str) -> str:
        """The topic's name in our code. Raises ValueError for a name without the prefix."""
        if not topic.startswith(self.topic_prefix):
            raise ValueError(f"{topic!r} does not begin with {self.topic_prefix!r}")
        return topic[len(self.topic_prefix) :]


class Settings(EnvironmentSettings):
    """What every service has. Derive one class per service; its fields are read from `VIGILO_<FIELD>`."""

    home: Path = Field(Path(".vigilo"), description="State of a single machine: data, logs, the owner's token")
    history: Duration = Field(
        timedelta(days=400), description="How long topics and the read model keep what was observed"
    )
    health_host: str = Field("127.0.0.1", description="Address of /healthz, /readyz and /metrics")
    health_port: int = Field(0, ge=0, le=65535, description="Port of /healthz, /readyz and /metrics; 0 = any free one")
    log_level: str = Field("info", pattern="(?i)^(debug|info|warning|error)$", description="debug to error")
    kafka: KafkaSettings = Field(default_factory=KafkaSettings, exclude=True)

    @field_validator("history")
    @classmethod
    def _at_least_a_day(cls, value: timedelta) -> timedelta:
        if value < timedelta(days=1):
            raise ValueError("at least one day")
        return value


S = TypeVar("S", bound=EnvironmentSettings)


def read(settings: type[S]) -> S:
    """The settings of this process. Raises BadSettings naming every variable that is wrong or missing."""
    try:
        return settings()
    except SettingsError as error:
        raise _unreadable(settings, error) from None
    except ValidationError as error:
        raise BadSettings("\n".join(_complaints(settings, error))) from error


def _unreadable(settings: type[EnvironmentSettings], error: SettingsError) -> BadSettings:
    if isinstance(error.__cause__, BadSettings):
        return error.__cause__
    named = re.search(r'for field "(\w+)"', str(error))
    return BadSettings(f"{variable_of(settings, named[1]) if named else PREFIX}: not JSON")


def _complaints(settings: type[EnvironmentSettings], error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        # A problem of the Kafka part inside a service's settings carries the title of that part.
        owner = KafkaSettings if error.title == KafkaSettings.__name__ else settings
        message = problem["msg"].removeprefix("Value error, ")
        if problem["loc"]:
            yield f"{variable_of(owner, str(problem['loc'][0]))}: {message}"
        else:
            yield message


def variable_of(settings: type[BaseSettings], field: str) -> str:
    """The environment variable of a field."""
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


@dataclass(frozen=True, slots=True)
class Listed:
    """One effective setting. `source` is default, environment or file; `value` is masked when secret."""

    variable: str
    value: str
    source: str
    description: str


def listed(settings: EnvironmentSettings) -> tuple[Listed, ...]:
    """Every effective setting, by variable name, secrets masked."""
    return tuple(sorted(_listed(settings), key=lambda one: one.variable))


def _listed(settings: EnvironmentSettings) -> Iterator[Listed]:
    owner = type(settings)
    for name, field in owner.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, EnvironmentSettings):
            yield from _listed(value)
        else:
            variable = variable_of(owner, name)
            yield Listed(variable, masked(value), _source(variable), field.description or "")


def _source(variable: str) -> str:
    if f"{variable}_FILE" in os.environ:
        return "file"
    return "environment" if os.environ.get(variable) else "default"


def masked(value: object) -> str:
    """The value as text for people: secrets and passwords inside URLs are masked, None is empty."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, timedelta):
        return _duration_text(value)
    if isinstance(value, tuple | list | frozenset | set):
        return ",".join(masked(item) for item in value)
    return re.sub(r"(://[^/@:\s]*:)[^/@\s]*@", rf"\1{MASK}@", str(value))


def _duration_text(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
