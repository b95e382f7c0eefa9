"""Addresses of webhooks: what may be stored. What they resolve to is checked again at every connection. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from vigilo.adapters.egress import DeliveryEgress, EgressDenied
from vigilo.events.hostnames import InvalidHostname, is_ip_literal, normalise_hostname
from vigilo.events.text import visible

_ALLOWED: Final = "an address such as https://hooks.example.com/path, without user name, fragment or spaces"
_PORTS: Final = {"https": 443, "http": 80}


class BadWebhookUrl(ValueError):
    """Text no message will ever be sent to. `reason` says what is wrong, `allowed` what would be right."""

    def __init__(self, reason: str, allowed: str = _ALLOWED) -> None:
        super().__init__(f"{reason}; allowed: {allowed}")
        self.reason = reason
        self.allowed = allowed


def check_url(text: str) -> str:
    """The URL with a canonical host. Raises BadWebhookUrl."""
    if any(ord(char) <= 0x20 or ord(char) >= 0x7F for char in text):
        raise BadWebhookUrl("it contains a space, a control character or a character outside ASCII")
    parts = _split(text)
    if parts.scheme not in _PORTS:
        raise BadWebhookUrl(f"the scheme is {visible(parts.scheme, limit=20)!r}, not https")
    if "@" in parts.netloc:
        raise BadWebhookUrl("it contains a user name or a password")
    if parts.fragment or text.endswith("#"):
        raise BadWebhookUrl("it contains a fragment (#)")
    return urlunsplit((parts.scheme, _netloc(parts), parts.path or "/", parts.query, ""))


def check_egress(url: str, egress: DeliveryEgress) -> None:
    """Raises BadWebhookUrl for a URL the policy would refuse at every attempt.

    An address is judged whole; of a name only whether it may go unencrypted at all, for its addresses may change.
    """
    parts = _split(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    encrypted = parts.scheme == "https"
    if is_ip_literal(host) or host == "localhost" or host.endswith(".localhost"):
        try:
            egress.check(host if is_ip_literal(host) else "127.0.0.1", port, encrypted=encrypted)
        except EgressDenied as error:
            allowed = "an https address on the public Internet, or one the operator allows (VIGILO_DELIVERY_ALLOW)"
            raise BadWebhookUrl(error.reason, allowed) from error
    elif not encrypted and not any(grant.port in {None, port} for grant in egress.allow):
        raise BadWebhookUrl("http:// is not encrypted", "https://, or http where the operator allows it")


def shown_destination(url: str) -> str:
    """Where the URL leads, without what may be a secret in it: scheme, host and port."""
    parts = urlsplit(url)
    hidden = "/…" if parts.path not in {"", "/"} or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{hidden}"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise BadWebhookUrl("it is not a web address") from error
    if not parts.hostname:
        raise BadWebhookUrl("it names no host")
    return parts


def _netloc(parts: SplitResult) -> str:
    try:
        host = normalise_hostname(parts.hostname or "")
    except InvalidHostname as error:
        raise BadWebhookUrl(f"its host is not valid: {error.reason}", error.allowed) from error
    if parts.port == 0:
        raise BadWebhookUrl("there is no port 0", "a port from 1 to 65535")
    shown = f"[{host}]" if ":" in host else host
    return shown if parts.port in {None, _PORTS[parts.scheme]} else f"{shown}:{parts.port}"
