"""What peers say, in words: alerts by name, banners by protocol. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066, RFC 7301; IANA "TLS Alerts".
ALERTS: Mapping[int, str] = MappingProxyType(
    {
        0: "close_notify",
        10: "unexpected_message",
        20: "bad_record_mac",
        21: "decryption_failed",
        22: "record_overflow",
        30: "decompression_failure",
        40: "handshake_failure",
        41: "no_certificate",
        42: "bad_certificate",
        43: "unsupported_certificate",
        44: "certificate_revoked",
        45: "certificate_expired",
        46: "certificate_unknown",
        47: "illegal_parameter",
        48: "unknown_ca",
        49: "access_denied",
        50: "decode_error",
        51: "decrypt_error",
        60: "export_restriction",
        70: "protocol_version",
        71: "insufficient_security",
        80: "internal_error",
        86: "inappropriate_fallback",
        90: "user_canceled",
        100: "no_renegotiation",
        109: "missing_extension",
        110: "unsupported_extension",
        111: "certificate_unobtainable",
        112: "unrecognized_name",
        113: "bad_certificate_status_response",
        114: "bad_certificate_hash_value",
        115: "unknown_psk_identity",
        116: "certificate_required",
        120: "no_application_protocol",
        121: "ech_required",
    }
)

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


def alert_name(code: int) -> str:
    """`handshake_failure`; `alert 200` for codes nobody registered."""
    return ALERTS.get(code, f"alert {code}")


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
