"""Settings of the scanner."""

from __future__ import annotations

import re
import socket
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from services.scanner.vulnerabilities import Probes
from vigilo.adapters.egress_settings import ScanEgressSettings
from vigilo.adapters.settings import CommaSeparated, Settings
from vigilo.events.hostnames import is_ip_literal, normalise_hostname
from vigilo.events.topics import PUBLIC_POOL, check_pool
from vigilo.tls.addresses import parse_address

_SERVER = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_DNS_PORT = 53


class ScannerSettings(Settings, ScanEgressSettings):
    """Beside what every service has: its pool, where it may go, whom it asks for names, how much at once."""

    pool: str = Field(PUBLIC_POOL, description="The pool whose requests this scanner performs")
    pool_workspaces: CommaSeparated = Field(
        (),
        description="Ids of the workspaces a pool belongs to; needed for every pool but public, which is open to all",
    )
    dns_servers: CommaSeparated = Field(
        (), description="DNS servers to ask, address or address:port, by commas; default: as the system does"
    )
    scanner_name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=100,
        description="Said in every snapshot; default: the host's name",
    )
    ehlo_name: str | None = Field(
        None, description="What the scanner calls itself to mail servers (EHLO); default: its address in brackets"
    )
    scanner_concurrency: int = Field(200, ge=1, le=5000, description="Scans at the same time")
    scanner_connections_per_address: int = Field(
        10, ge=1, le=1000, description="Connections to one IP address at a time, by all scans together"
    )
    scanner_stop_seconds: float = Field(
        65, ge=0, le=600, description="How long scans under way may take to finish once the scanner is told to stop"
    )

    probe_heartbleed: bool = Field(True, description="Full scans ask about Heartbleed, where heartbeats are offered")
    probe_ccs: bool = Field(True, description="Full scans ask about CCS injection, where TLS 1.2 or older is accepted")
    probe_ticketbleed: bool = Field(True, description="Full scans ask about Ticketbleed, where tickets are given out")
    probe_robot: bool = Field(True, description="Full scans ask about ROBOT, where static RSA suites are accepted")

    @field_validator("pool")
    @classmethod
    def _pool_name(cls, value: str) -> str:
        return check_pool(value)

    @field_validator("ehlo_name")
    @classmethod
    def _host_name(cls, value: str | None) -> str | None:
        if not value:
            return None
        name = normalise_hostname(value)
        return f"[{'IPv6:' if ':' in name else ''}{name}]" if is_ip_literal(name) else name

    @field_validator("pool_workspaces")
    @classmethod
    def _uuids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(UUID(text)) for text in value)

    @model_validator(mode="after")
    def _usable(self) -> ScannerSettings:
        if self.pool != PUBLIC_POOL and not self.pool_workspaces:
            raise ValueError(f"VIGILO_POOL_WORKSPACES: say which workspaces pool {self.pool!r} belongs to")
        self.dns_addresses()
        return self

    @property
    def workspaces(self) -> frozenset[UUID] | None:
        """The workspaces served, or None for all."""
        return frozenset(UUID(text) for text in self.pool_workspaces) if self.pool_workspaces else None

    def probes(self) -> Probes:
        """Which known holes full scans ask about."""
        return Probes(self.probe_heartbleed, self.probe_ccs, self.probe_ticketbleed, self.probe_robot)

    def dns_addresses(self) -> tuple[tuple[str, int], ...]:
        """The DNS servers to ask. Raises ValueError for wrong settings (only while being validated)."""
        return tuple(_server(text) for text in self.dns_servers)


def _server(text: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(text)
    try:
        address = parse_address(match["six"] or match["four"] if match else text)
    except ValueError as error:
        raise ValueError(f"VIGILO_DNS_SERVERS: not address or address:port: {text!r}") from error
    port = int(match["port"]) if match and match["port"] else _DNS_PORT
    if not 1 <= port <= 65535:
        raise ValueError(f"VIGILO_DNS_SERVERS: no such port: {text!r}")
    return str(address), port
