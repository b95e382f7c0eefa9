"""LDAP: RFC 4511 sections 4.12 (extended operation), 4.14 (StartTLS), 5.1 (BER on the wire)."""

from __future__ import annotations

from collections.abc import Generator

from vigilo.tls.starttls.dialogue import DIALOGUE_MAX, Declined, Party, Peer, Script, Why, quoted

_OID = b"1.3.6.1.4.1.1466.20037"
_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + _OID
GOODBYE = b"\x30\x05\x02\x01\x02\x42\x00"  # UnbindRequest, message 2

_SEQUENCE, _INTEGER, _ENUMERATED, _OCTETS, _EXTENDED_RESPONSE = 0x30, 0x02, 0x0A, 0x04, 0x78
# RFC 4511 appendix A.
_RESULTS = {1: "operationsError", 2: "protocolError", 51: "busy", 52: "unavailable", 53: "unwillingToPerform"}


def script(peer: Peer, party: Party) -> Script:
    """StartTLS and its response; lengths in short or long form, as OpenLDAP and Active Directory write them."""
    peer.say(_REQUEST)
    tag, message = yield from _element(peer)
    _require(tag == _SEQUENCE, "no message")
    tag, _, rest = _split(message)
    _require(tag == _INTEGER, "no message id")
    tag, response, _ = _split(rest)
    _require(tag == _EXTENDED_RESPONSE, f"an answer of type 0x{tag:02x}")
    code, words = _result(response)
    if code != 0:
        why = Why.BUSY if code == 51 else Why.REFUSED
        name = _RESULTS.get(code, f"result {code}")
        raise Declined(f"StartTLS was answered with {name}: {words}".rstrip(": "), why=why, goodbye=GOODBYE)


def _result(response: bytes) -> tuple[int, str]:
    tag, code, rest = _split(response)
    _require(tag == _ENUMERATED and 1 <= len(code) <= 4, "no result code")
    _, _, rest = _split(rest)  # matchedDN
    _, words, _ = _split(rest)
    return int.from_bytes(code, "big"), quoted(words)


def _element(peer: Peer) -> Generator[None, bytes, tuple[int, bytes]]:
    """The next whole BER element: tag and content."""
    tag, first = yield from peer.take(2)
    _require(tag == _SEQUENCE, f"the server sent 0x{tag:02x}")
    length = first
    if first & 0x80:
        _require(1 <= first & 0x7F <= 4, "a length of impossible form")
        length = int.from_bytes((yield from peer.take(first & 0x7F)), "big")
    _require(length <= DIALOGUE_MAX, f"a message of {length} bytes")
    return tag, (yield from peer.take(length))


def _split(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what follows it."""
    _require(len(data) >= 2, "a message cut short")
    tag, length, begins = data[0], data[1], 2
    if length & 0x80:
        begins += length & 0x7F
        _require(1 <= length & 0x7F <= 4 and len(data) >= begins, "a length of impossible form")
        length = int.from_bytes(data[2:begins], "big")
    _require(len(data) >= begins + length, "a message cut short")
    return tag, data[begins : begins + length], data[begins + length :]


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Declined(f"not LDAP: {otherwise}", why=Why.STRANGER)
