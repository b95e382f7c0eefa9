"""HOST[:PORT] as people type it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.events.hostnames import InvalidHostname, normalise_hostname

HTTPS_PORT = 443


class InvalidEndpoint(ValueError):
    """Text that is no HOST[:PORT]; the message says what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (normalised name or IP literal) and a port from 1 to 65535."""

    hostname: str
    port: int

    def __str__(self) -> str:
        return f"[{self.hostname}]:{self.port}" if ":" in self.hostname else f"{self.hostname}:{self.port}"


def parse_endpoint(text: str, *, default_port: int = HTTPS_PORT) -> Endpoint:
    """`example.com`, `example.com:8443`, `192.0.2.1:443`, `[2001:db8::1]:443`, `::1`. Raises InvalidEndpoint."""
    host, port = _split(text)
    try:
        hostname = normalise_hostname(host)
    except InvalidHostname as error:
        raise InvalidEndpoint(str(error)) from error
    return Endpoint(hostname, default_port if port is None else _port(port))


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        return host + bracket, rest.removeprefix(":") if rest.startswith(":") else (rest or None)
    if text.count(":") == 1 and "://" not in text:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise InvalidEndpoint(f"{text[:20]!r} is no port; allowed: a number from 1 to 65535")
    return int(text)
