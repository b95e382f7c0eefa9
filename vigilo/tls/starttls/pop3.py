"""POP3: RFC 1939 section 3, RFC 2595 section 4 (STLS)."""

from __future__ import annotations

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why, quoted

GOODBYE = b"QUIT\r\n"


def script(peer: Peer, party: Party) -> Script:
    """Greeting, STLS. CAPA is not asked: what STLS is answered with says the same in one round trip less."""
    greeting = yield from peer.line()
    if greeting.startswith(b"-ERR"):
        raise Declined(f"the greeting is {quoted(greeting)}", why=Why.BUSY)
    if not greeting.startswith(b"+OK"):
        raise Declined(f"not POP3: the server sent {quoted(greeting)!r}", why=Why.STRANGER)
    peer.say(b"STLS\r\n")
    answer = yield from peer.line()
    if not answer.startswith(b"+OK"):
        raise Declined(f"STLS was answered with {quoted(answer)}", goodbye=GOODBYE)
