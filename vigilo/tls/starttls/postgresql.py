"""PostgreSQL: "Frontend/Backend Protocol", sections SSL Session Encryption and Message Formats (SSLRequest)."""

from __future__ import annotations

from collections.abc import Generator

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why, quoted

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_ERROR_MAX = 4096


def script(peer: Peer, party: Party) -> Script:
    """SSLRequest; one byte says what follows. Nothing may come with that byte (CVE-2021-23222)."""
    peer.say(_SSL_REQUEST)
    answer = yield from peer.take(1)
    if answer == b"S":
        return
    if answer == b"N":
        raise Declined("the server does not speak TLS: it answered N")
    if answer == b"E":
        raise Declined((yield from _error(peer)), why=Why.BUSY)
    raise Declined(f"not PostgreSQL: the server sent {quoted(answer)!r}", why=Why.STRANGER)


def _error(peer: Peer) -> Generator[None, bytes, str]:
    """An ErrorResponse in words (it comes when the server is full or starting): the field M is the message."""
    length = int.from_bytes((yield from peer.take(4)), "big")
    if not 4 <= length <= _ERROR_MAX:
        raise Declined("not PostgreSQL: an error of impossible length", why=Why.STRANGER)
    fields = (yield from peer.take(length - 4)).split(b"\x00")
    message = next((field[1:] for field in fields if field[:1] == b"M"), b"without a message")
    return f"the server answered with an error: {quoted(message)}"
