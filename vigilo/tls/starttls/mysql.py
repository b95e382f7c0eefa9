"""MySQL and MariaDB: "Client/Server Protocol", Connection Phase (HandshakeV10, SSLRequest, ERR_Packet)."""

from __future__ import annotations

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why, quoted

_PROTOCOL_10 = 10
_ERROR = 0xFF
_HOST_BLOCKED = 1129
_CLIENT_PROTOCOL_41 = 0x00000200
_CLIENT_SSL = 0x00000800
_CLIENT_SECURE_CONNECTION = 0x00008000
_CAPABILITIES = _CLIENT_PROTOCOL_41 | _CLIENT_SSL | _CLIENT_SECURE_CONNECTION
_PACKET_MAX = 16 * 1024 * 1024 - 1
_UTF8 = 33  # the collation every server since 4.1 has
_AFTER_VERSION = 4 + 8 + 1  # thread id, first part of the scramble, filler: then the lower capability flags


def script(peer: Peer, party: Party) -> Script:
    """Greeting, SSLRequest; the server does not answer that: TLS begins at once."""
    header = yield from peer.take(4)
    length = int.from_bytes(header[:3], "little")
    if header[3] != 0 or length < 1:
        raise Declined(f"not MySQL: the server sent {quoted(header)!r}", why=Why.STRANGER)
    greeting = yield from peer.take(length)
    if greeting[0] == _ERROR:
        # 1040 too many connections, 1129 host blocked, 1130 host not allowed.
        code = int.from_bytes(greeting[1:3], "little")
        hint = "; it counts connections without a login (max_connect_errors)" if code == _HOST_BLOCKED else ""
        raise Declined(f"the server answered with error {code}: {quoted(greeting[3:])}{hint}", why=Why.BUSY)
    if greeting[0] != _PROTOCOL_10:
        raise Declined(f"not MySQL: protocol version {greeting[0]}", why=Why.STRANGER)
    if not _offered(greeting) & _CLIENT_SSL:
        raise Declined("the server does not offer TLS")
    payload = _CAPABILITIES.to_bytes(4, "little") + _PACKET_MAX.to_bytes(4, "little") + bytes((_UTF8,)) + bytes(23)
    peer.say(len(payload).to_bytes(3, "little") + b"\x01" + payload)


def _offered(greeting: bytes) -> int:
    end = greeting.find(b"\x00", 1)
    at = end + 1 + _AFTER_VERSION
    if end < 0 or len(greeting) < at + 2:
        raise Declined("not MySQL: the greeting is cut short", why=Why.STRANGER)
    return int.from_bytes(greeting[at : at + 2], "little")
