"""SMTP: RFC 5321 section 4.2 (replies), RFC 3207 (STARTTLS)."""

from __future__ import annotations

from collections.abc import Generator

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why
from vigilo.tls.starttls.replies import Reply, read_reply

GOODBYE = b"QUIT\r\n"


def script(peer: Peer, party: Party) -> Script:
    """Greeting, EHLO, STARTTLS. Never speaks before the greeting has ended: servers take that for a spammer's haste."""
    yield from _expect(peer, "220", "the greeting")
    peer.say(f"EHLO {party.own_name}\r\n".encode("ascii"))
    offers = yield from _expect(peer, "250", "our EHLO")
    # The first line is the server's name, which may be anything.
    if not any(line.strip().upper() == b"STARTTLS" for line in offers.lines[1:]):
        raise Declined("STARTTLS is not offered", goodbye=GOODBYE)
    peer.say(b"STARTTLS\r\n")
    yield from _expect(peer, "220", "STARTTLS")


def _expect(peer: Peer, code: str, what: str) -> Generator[None, bytes, Reply]:
    reply = yield from read_reply(peer, "SMTP")
    if reply.code == code:
        return reply
    # RFC 5321 section 3.8: 421 is said at any time by a server that is about to close.
    why, goodbye = (Why.BUSY, b"") if reply.code == "421" else (Why.REFUSED, GOODBYE)
    raise Declined(f"{what} was answered with {reply.words}", why=why, goodbye=goodbye)
