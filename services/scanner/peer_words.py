"""What peers say, in words: alerts by name, banners by protocol. Pure."""

from __future__ import annotations

from vigilo.tls.wire.alerts import alert_name

__all__ = ["alert_name", "describe_banner", "looks_like_tls"]

_RECORD_TYPES = range(0x14, 0x18)  # change_cipher_spec, alert, handshake, application_data (RFC 8446 section 5.1)
_SHOWN = 160  # characters of a banner

_BANNERS = (
    (b"HTTP/", "HTTP"),
    (b"<", "HTML or XML"),
    (b"SSH-", "SSH"),
    (b"* OK", "IMAP"),
    (b"* BYE", "IMAP"),
    (b"* PREAUTH", "IMAP"),
    (b"+OK", "POP3"),
    (b"-ERR", "POP3"),
    (b"RFB ", "VNC"),
    (b"AMQP", "AMQP"),
)


def looks_like_tls(first: bytes) -> bool:
    """True when these first bytes (at least one) can begin a TLS record: a known type, then major version 3."""
    return first[0] in _RECORD_TYPES and first[1:2] in {b"", b"\x03"}


def describe_banner(data: bytes) -> str:
    """What the peer sent instead of TLS: the protocol as far as it shows, and the first line."""
    line = data.partition(b"\n")[0].rstrip(b"\r").decode("utf-8", errors="backslashreplace")[:_SHOWN]
    protocol = _protocol(data)
    return f"not TLS: the server sent {line!r}" if protocol is None else f"not TLS but {protocol}: {line}"


def _protocol(data: bytes) -> str | None:
    for beginning, protocol in _BANNERS:
        if data.startswith(beginning):
            return protocol
    if data[:4] in {b"220 ", b"220-"}:
        return "FTP" if b"ftp" in data.lower() else "SMTP" if b"smtp" in data.lower() else "SMTP or FTP"
    if data[3:5] == b"\x00\x0a" or data[3:5] == b"\x00\xff":  # packet 0, protocol version 10 or an error
        return "MySQL"
    return None
