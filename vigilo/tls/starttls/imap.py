"""IMAP: RFC 9051 sections 2.2.2 and 7 (responses), 6.2.1 (STARTTLS)."""

from __future__ import annotations

import re
from collections.abc import Generator

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why, quoted

GOODBYE = b"a3 LOGOUT\r\n"
# A line that ends so announces so many bytes of raw data after it (RFC 9051 section 4.3).
_LITERAL = re.compile(rb"\{([0-9]{1,9})\+?\}$")


def script(peer: Peer, party: Party) -> Script:
    """Greeting, CAPABILITY, STARTTLS."""
    greeting = (yield from _response(peer)).upper()
    if greeting.startswith(b"* PREAUTH"):
        raise Declined("the session is authenticated already (PREAUTH), which rules STARTTLS out", goodbye=GOODBYE)
    if greeting.startswith(b"* BYE"):
        raise Declined(f"the greeting is {quoted(greeting)}", why=Why.BUSY)
    if not greeting.startswith(b"* OK"):
        raise Declined(f"not IMAP: the server sent {quoted(greeting)!r}", why=Why.STRANGER)
    peer.say(b"a1 CAPABILITY\r\n")
    if b"STARTTLS" not in (yield from _completed(peer, b"A1")):
        raise Declined("STARTTLS is not among the capabilities", goodbye=GOODBYE)
    peer.say(b"a2 STARTTLS\r\n")
    yield from _completed(peer, b"A2")


def _completed(peer: Peer, tag: bytes) -> Generator[None, bytes, frozenset[bytes]]:
    """Reads to the tagged OK; the capabilities that came on the way, in capitals. Raises Declined."""
    capabilities = set[bytes]()
    while True:
        response = yield from _response(peer)
        words = response.upper().split()
        if words[:2] == [b"*", b"CAPABILITY"]:
            capabilities.update(words[2:])
        elif words[:2] == [b"*", b"BYE"]:
            raise Declined(f"the server left: {quoted(response)}", why=Why.BUSY)
        elif words[:1] == [tag]:
            if words[1:2] == [b"OK"]:
                return frozenset(capabilities)
            raise Declined(f"the server answered {quoted(response)}", goodbye=GOODBYE)


def _response(peer: Peer) -> Generator[None, bytes, bytes]:
    """One response; raw data inside is passed over, so that it is never taken for a tagged answer."""
    line = yield from peer.line()
    parts = [line]
    while (literal := _LITERAL.search(line)) is not None:
        yield from peer.take(int(literal[1]))
        line = yield from peer.line()
        parts.append(line)
    return b"".join(parts)
