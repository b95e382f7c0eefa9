"""Every protocol's dialogue: whole, byte by byte, refused, broken off, followed by what should not be there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls import protocols
from vigilo.tls.starttls.dialogue import Dialogue, NeedMore, Party, Ready, Refused, Step, Why

PARTY = Party(own_name="scanner.test", peer_name="a.test", port=5222)
LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
LDAP_OK = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
# Active Directory writes long lengths and repeats the OID.
LDAP_OK_LONG = (
    b"\x30\x84\x00\x00\x00\x28\x02\x01\x01\x78\x84\x00\x00\x00\x1f\x0a\x01\x00\x04\x00\x04\x00"
    b"\x8a\x161.3.6.1.4.1.1466.20037"
)
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
STREAM = (
    b"<?xml version='1.0'?><stream:stream to='a.test' version='1.0' xml:lang='en' "
    b"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
XMPP_OPEN = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' from='a.test' id='1' version='1.0'>"
FEATURES = (
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
)
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


def packet(payload: bytes, number: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes((number,)) + payload


def mysql_greeting(capabilities: int = 0xFFFF) -> bytes:
    lower, upper = (capabilities & 0xFFFF).to_bytes(2, "little"), (capabilities >> 16).to_bytes(2, "little")
    rest = b"\x21\x02\x00" + upper + b"\x15" + bytes(10) + b"abcdefghijkl\x00mysql_native_password\x00"
    return packet(b"\x0a8.0.36\x00" + bytes(4) + b"12345678\x00" + lower + rest)


MYSQL_SSL_REQUEST = packet((0x8A00).to_bytes(4, "little") + b"\xff\xff\xff\x00\x21" + bytes(23), number=1)

# Protocol, then by turns what the server says and what we say; we begin where the server's first word is empty.
AGREED: dict[str, tuple[Protocol, list[bytes]]] = {
    "smtp": (
        Protocol.SMTP,
        [
            b"220 mx.test ESMTP\r\n",
            b"EHLO scanner.test\r\n",
            b"250-mx.test\r\n250-SIZE\r\n250 STARTTLS\r\n",
            b"STARTTLS\r\n",
            b"220 go ahead\r\n",
        ],
    ),
    "smtp, long greeting, lower case, bare LF": (
        Protocol.SMTP,
        [
            b"220-one\n220-two\n220 three\n",
            b"EHLO scanner.test\r\n",
            b"250-mx\n250-starttls\n250\n",
            b"STARTTLS\r\n",
            b"220\n",
        ],
    ),
    "ftp": (Protocol.FTP, [b"220 (vsFTPd 3.0.3)\r\n", b"AUTH TLS\r\n", b"234 Proceed.\r\n"]),
    "ftp, lines without code, old word": (
        Protocol.FTP,
        [
            b"220-Welcome\r\n to\r\n2201 tricks\r\n220 ready\r\n",
            b"AUTH TLS\r\n",
            b"504 what\r\n",
            b"AUTH SSL\r\n",
            b"334 ok\r\n",
        ],
    ),
    "ftp, soon": (Protocol.FTP, [b"120 wait\r\n220 ready\r\n", b"AUTH TLS\r\n", b"234 ok\r\n"]),
    "pop3": (Protocol.POP3, [b"+OK Dovecot ready. <1.2@a>\r\n", b"STLS\r\n", b"+OK Begin TLS\r\n"]),
    "imap": (
        Protocol.IMAP,
        [
            b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n",
            b"a1 CAPABILITY\r\n",
            b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n",
            b"a2 STARTTLS\r\n",
            b"a2 OK go\r\n",
        ],
    ),
    "imap, other case, a literal that looks like the end": (
        Protocol.IMAP,
        [
            b"* ok hi\r\n",
            b"a1 CAPABILITY\r\n",
            b"* capability imap4 starttls\r\n* X {8}\r\na1 NO x\r\n more\r\nA1 ok\r\n",
            b"a2 STARTTLS\r\n",
            b"* NOTE\r\na2 ok\r\n",
        ],
    ),
    "ldap, short lengths": (Protocol.LDAP, [b"", LDAP_REQUEST, LDAP_OK]),
    "ldap, long lengths": (Protocol.LDAP, [b"", LDAP_REQUEST, LDAP_OK_LONG]),
    "xmpp": (Protocol.XMPP, [b"", STREAM, XMPP_OPEN + FEATURES, STARTTLS, PROCEED]),
    "xmpp, other prefixes and quotes": (
        Protocol.XMPP,
        [
            b"",
            STREAM,
            b'<s:stream xmlns:s="x"> <s:features><t:starttls xmlns:t="y"/></s:features>',
            STARTTLS,
            b"<t:proceed xmlns:t='y'></t:proceed>",
        ],
    ),
    "postgresql": (Protocol.POSTGRESQL, [b"", SSL_REQUEST, b"S"]),
    "mysql": (Protocol.MYSQL, [mysql_greeting(), MYSQL_SSL_REQUEST]),
}


def play(dialogue: Dialogue, chunks: Sequence[bytes]) -> tuple[Step, bytes]:
    """The last step, and everything sent until then."""
    step = dialogue.begin()
    sent = step.send
    for chunk in chunks:
        if not isinstance(step, NeedMore):
            break
        step = dialogue.receive(chunk)
        sent += step.send
    return step, sent


@pytest.mark.parametrize(("protocol", "words"), AGREED.values(), ids=AGREED.keys())
def test_a_dialogue_that_agrees(protocol: Protocol, words: list[bytes]) -> None:
    dialogue = protocols.dialogue(protocol, PARTY)
    step = dialogue.begin()
    for theirs, ours in pairwise([*words, b""]):
        if words.index(theirs) % 2 == 1:
            continue
        if theirs:
            assert isinstance(step, NeedMore)
            step = dialogue.receive(theirs)
        assert step.send == ours
    assert step == Ready(send=words[-1] if len(words) % 2 == 0 else b"")


@pytest.mark.parametrize(("protocol", "words"), AGREED.values(), ids=AGREED.keys())
def test_replies_split_anywhere_say_the_same(protocol: Protocol, words: list[bytes]) -> None:
    theirs, ours = b"".join(words[::2]), b"".join(words[1::2])
    for cut in range(1, len(theirs)):
        step, sent = play(protocols.dialogue(protocol, PARTY), [theirs[:cut], theirs[cut:]])
        assert isinstance(step, Ready), (cut, step)
        assert (sent, step.leftover) == (ours, b""), cut
    one_by_one = [bytes((byte,)) for byte in theirs]
    step, sent = play(protocols.dialogue(protocol, PARTY), one_by_one)
    assert (isinstance(step, Ready), sent) == (True, ours)


@pytest.mark.parametrize(("protocol", "words"), AGREED.values(), ids=AGREED.keys())
def test_nothing_is_said_before_the_greeting_has_ended(protocol: Protocol, words: list[bytes]) -> None:
    greeting = words[0]
    for cut in range(len(greeting)):
        dialogue = protocols.dialogue(protocol, PARTY)
        step = dialogue.begin()
        if cut:
            step = dialogue.receive(greeting[:cut])
        assert step == NeedMore(b"")


@pytest.mark.parametrize(("protocol", "words"), AGREED.values(), ids=AGREED.keys())
def test_what_follows_the_go_ahead_is_left_over(protocol: Protocol, words: list[bytes]) -> None:
    theirs = [word for word in words[::2] if word]
    theirs[-1] += b"* evil\r\n"
    step, _ = play(protocols.dialogue(protocol, PARTY), theirs)
    assert isinstance(step, Ready)
    assert step.leftover == b"* evil\r\n"


REFUSED: dict[str, tuple[Protocol, list[bytes], Why, str, bytes]] = {
    "smtp 421": (Protocol.SMTP, [b"421 too many connections from you\r\n"], Why.BUSY, "421 too many", b""),
    "smtp 554": (Protocol.SMTP, [b"554 go away\r\n"], Why.REFUSED, "the greeting was answered with 554", b"QUIT\r\n"),
    "smtp 454": (
        Protocol.SMTP,
        [b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"454 4.7.0 TLS not available\r\n"],
        Why.REFUSED,
        "STARTTLS was answered with 454 4.7.0 TLS not available",
        b"QUIT\r\n",
    ),
    "smtp without": (Protocol.SMTP, [b"220 a\r\n", b"250 STARTTLS\r\n"], Why.REFUSED, "not offered", b"QUIT\r\n"),
    "smtp old": (Protocol.SMTP, [b"220 a\r\n", b"502 what?\r\n"], Why.REFUSED, "our EHLO", b"QUIT\r\n"),
    "not smtp": (Protocol.SMTP, [b"SSH-2.0-x\r\n"], Why.STRANGER, "not SMTP: the server sent 'SSH-2.0-x'", b""),
    "ftp 530": (Protocol.FTP, [b"220 a\r\n", b"530 log in\r\n"], Why.REFUSED, "530 log in", b"QUIT\r\n"),
    "ftp 421": (Protocol.FTP, [b"421 busy\r\n"], Why.BUSY, "421 busy", b""),
    "pop3 -ERR": (Protocol.POP3, [b"+OK\r\n", b"-ERR no\r\n"], Why.REFUSED, "-ERR no", b"QUIT\r\n"),
    "imap PREAUTH": (Protocol.IMAP, [b"* PREAUTH hi\r\n"], Why.REFUSED, "PREAUTH", b"a3 LOGOUT\r\n"),
    "imap BYE": (Protocol.IMAP, [b"* BYE full\r\n"], Why.BUSY, "BYE", b""),
    "imap without": (
        Protocol.IMAP,
        [b"* OK\r\n", b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n"],
        Why.REFUSED,
        "not among the capabilities",
        b"a3 LOGOUT\r\n",
    ),
    "imap NO": (
        Protocol.IMAP,
        [b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na1 OK\r\n", b"a2 NO not now\r\n"],
        Why.REFUSED,
        "a2 NO not now",
        b"a3 LOGOUT\r\n",
    ),
    "ldap unsupported": (
        Protocol.LDAP,
        [b"\x30\x10\x02\x01\x01\x78\x0b\x0a\x01\x02\x04\x00\x04\x04nope"],
        Why.REFUSED,
        "protocolError: nope",
        b"\x30\x05\x02\x01\x02\x42\x00",
    ),
    "not ldap": (Protocol.LDAP, [b"HTTP/1.1 400\r\n"], Why.STRANGER, "not LDAP", b""),
    "xmpp host-unknown": (
        Protocol.XMPP,
        [XMPP_OPEN + b"<stream:error><host-unknown xmlns='x'/></stream:error></stream:stream>"],
        Why.REFUSED,
        "the stream error host-unknown",
        b"</stream:stream>",
    ),
    "xmpp without": (Protocol.XMPP, [b"<stream:features/>"], Why.REFUSED, "not among", b"</stream:stream>"),
    "xmpp failure": (Protocol.XMPP, [FEATURES, b"<failure xmlns='x'/></stream:stream>"], Why.REFUSED, "failure", b""),
    "not xmpp": (Protocol.XMPP, [b"<html>"], Why.STRANGER, "HTML", b""),
    "postgresql N": (Protocol.POSTGRESQL, [b"N"], Why.REFUSED, "answered N", b""),
    "postgresql full": (
        Protocol.POSTGRESQL,
        [b"E\x00\x00\x00\x1dSFATAL\x00Mtoo many clients\x00\x00"],
        Why.BUSY,
        "too many clients",
        b"",
    ),
    "mysql without": (Protocol.MYSQL, [mysql_greeting(0xFFFF & ~0x0800)], Why.REFUSED, "does not offer TLS", b""),
    "mysql blocked": (Protocol.MYSQL, [packet(b"\xff\x69\x04Host is blocked")], Why.BUSY, "1129: Host is blocked", b""),
    "not mysql": (Protocol.MYSQL, [packet(b"\x09old")], Why.STRANGER, "protocol version 9", b""),
}


@pytest.mark.parametrize(("protocol", "theirs", "why", "reason", "goodbye"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_say_why_and_leave_politely(
    protocol: Protocol, theirs: list[bytes], why: Why, reason: str, goodbye: bytes
) -> None:
    step, _ = play(protocols.dialogue(protocol, PARTY), theirs)
    assert isinstance(step, Refused)
    assert (step.why, step.send) == (why, goodbye)
    assert reason in step.reason


def test_xmpp_servers_are_asked_as_servers() -> None:
    step = protocols.dialogue(Protocol.XMPP, Party("x", "a.test", 5269)).begin()
    assert b"xmlns='jabber:server'" in step.send
