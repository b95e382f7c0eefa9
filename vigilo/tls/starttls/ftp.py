"""FTP: RFC 959 section 4.2 (replies), RFC 4217 (AUTH TLS)."""

from __future__ import annotations

from collections.abc import Generator

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why
from vigilo.tls.starttls.replies import Reply, read_reply

GOODBYE = b"QUIT\r\n"


def script(peer: Peer, party: Party) -> Script:
    """Greeting, AUTH TLS; AUTH SSL where a server knows only the old word."""
    greeting = yield from _reply(peer)
    while greeting.code == "120":  # ready in so many minutes: 220 follows (RFC 959 section 5.4)
        greeting = yield from _reply(peer)
    if greeting.code != "220":
        raise Declined(f"the greeting is {greeting.words}", goodbye=GOODBYE)
    peer.say(b"AUTH TLS\r\n")
    answer = yield from _reply(peer)
    if answer.code == "504":  # the command is known, the parameter is not (RFC 4217 section 4)
        peer.say(b"AUTH SSL\r\n")
        answer = yield from _reply(peer)
    if answer.code not in {"234", "334"}:  # 334 is what drafts before RFC 4217 had
        raise Declined(f"AUTH TLS was answered with {answer.words}", goodbye=GOODBYE)


def _reply(peer: Peer) -> Generator[None, bytes, Reply]:
    reply = yield from read_reply(peer, "FTP")
    if reply.code == "421":
        raise Declined(f"the server is not available: {reply.words}", why=Why.BUSY)
    return reply
