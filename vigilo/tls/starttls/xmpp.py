"""XMPP: RFC 6120 sections 4 (streams) and 5 (STARTTLS).

Elements are found, not parsed: nothing of the peer's XML is kept, so no XML parser has to face it. Every pattern is
linear: it begins at a `<` and cannot run over the next one.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from vigilo.tls.starttls.dialogue import Declined, Party, Peer, Script, Why, quoted

GOODBYE = b"</stream:stream>"
_SERVER_PORTS = frozenset({5269, 5270})
_UNREAD_MAX = 16 * 1024  # a stream's header and features; a few hundred bytes are usual
_BEGINNING = 200  # bytes in which it shows whether this is XMPP
_STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


def _opening(name: bytes) -> re.Pattern[bytes]:
    """An opening or empty tag of this name; prefixes are the peer's choice."""
    return re.compile(rb"<((?:[\w.-]+:)?" + name + rb")(?=[\s/>])[^<>]*>")


_FEATURES, _OFFER, _PROCEED = _opening(b"features"), _opening(b"starttls"), _opening(b"proceed")
_FAILURE, _ERROR, _ANY = _opening(b"failure"), _opening(b"error"), _opening(rb"[a-z][a-z-]*")


def script(peer: Peer, party: Party) -> Script:
    """Stream header, features, starttls, proceed."""
    namespace = "jabber:server" if party.port in _SERVER_PORTS else "jabber:client"
    peer.say(_header(namespace, party.peer_name))
    features = yield from _await(peer, _FEATURES)
    if _OFFER.search(features) is None:
        raise Declined("starttls is not among the stream's features", goodbye=GOODBYE)
    peer.say(_STARTTLS)
    yield from _await(peer, _PROCEED)


def _header(namespace: str, domain: str) -> bytes:
    return (
        f"<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xml:lang='en' "
        f"xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams'>"
    ).encode("ascii")


def farewell(party: Party) -> bytes:
    """Inside TLS a stream begins anew (RFC 6120 section 5.4.3.3); this one ends as it begins."""
    return _header("jabber:server" if party.port in _SERVER_PORTS else "jabber:client", party.peer_name) + GOODBYE


@dataclass(frozen=True, slots=True)
class _Found:
    element: bytes
    end: int


def _whole(pattern: re.Pattern[bytes], seen: bytes) -> _Found | None:
    """The first element of that name, once its end has come."""
    begins = pattern.search(seen)
    if begins is None:
        return None
    if begins[0].endswith(b"/>"):
        return _Found(begins[0], begins.end())
    closing = seen.find(b"</" + begins[1], begins.end())
    end = seen.find(b">", closing) if closing >= 0 else -1
    return _Found(seen[begins.start() : end + 1], end + 1) if end >= 0 else None


def _await(peer: Peer, wanted: re.Pattern[bytes]) -> Generator[None, bytes, bytes]:
    """Reads until the wanted element is whole, and takes everything up to its end. Raises Declined."""
    while True:
        seen = bytes(peer.unread)
        _refuse_strangers(seen)
        # What follows the wanted element is left over, whatever it says: so this comes before errors.
        if (found := _whole(wanted, seen)) is not None:
            del peer.unread[: found.end]
            return found.element
        if (error := _whole(_ERROR, seen)) is not None:
            raise Declined(f"the server answered with {_condition(error.element)}", goodbye=GOODBYE)
        if wanted is _PROCEED and _FAILURE.search(seen) is not None:
            raise Declined("starttls was answered with failure")
        yield from _until_worth_a_look(peer)


def _until_worth_a_look(peer: Peer) -> Generator[None, bytes, None]:
    """More bytes, until a tag may have ended: looking at each single byte would cost its square."""
    while True:
        before = len(peer.unread)
        yield from peer.more()
        if len(peer.unread) > _UNREAD_MAX:
            raise Declined(f"not XMPP: more than {_UNREAD_MAX} bytes and no end of an element", why=Why.STRANGER)
        if before < _BEGINNING or peer.unread.find(b">", before) >= 0:
            return


def _refuse_strangers(seen: bytes) -> None:
    text = seen[:_BEGINNING].lstrip()
    if text and not text.startswith(b"<"):
        raise Declined(f"not XMPP: the server sent {quoted(text[:80])!r}", why=Why.STRANGER)
    if text.lower().startswith((b"<html", b"<!doctype")):
        raise Declined("not XMPP but HTML", why=Why.STRANGER)


def _condition(error: bytes) -> str:
    names = [name for name in _ANY.findall(error) if not name.endswith(b"error")]
    return f"the stream error {names[0].decode('ascii', 'replace')}" if names else "a stream error"
