from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls.dialogue import Party
from vigilo.tls.starttls.protocols import (
    Farewell,
    farewell_after_dialogue,
    farewell_on_direct_port,
    first_choice,
    recognise,
)


@pytest.mark.parametrize(
    ("asked", "port", "known", "chosen"),
    [
        (Protocol.AUTO, 443, None, Protocol.TLS),
        (Protocol.AUTO, 25, None, Protocol.SMTP),
        (Protocol.AUTO, 587, None, Protocol.SMTP),
        (Protocol.AUTO, 465, None, Protocol.TLS),
        (Protocol.AUTO, 5432, None, Protocol.POSTGRESQL),
        (Protocol.AUTO, 25, Protocol.TLS, Protocol.TLS),
        (Protocol.AUTO, 4443, Protocol.IMAP, Protocol.IMAP),
        (Protocol.TLS, 25, Protocol.SMTP, Protocol.TLS),
        (Protocol.MYSQL, 443, None, Protocol.MYSQL),
    ],
)
def test_the_host_says_then_the_last_time_then_the_port(
    asked: Protocol, port: int, known: Protocol | None, chosen: Protocol
) -> None:
    assert first_choice(asked, port, known) is chosen


@pytest.mark.parametrize(
    ("banner", "port", "protocol"),
    [
        (b"220 mx ESMTP Postfix\r\n", 443, Protocol.SMTP),
        (b"220 ready\r\n", 443, Protocol.SMTP),
        (b"220 ready\r\n", 2121, Protocol.FTP),
        (b"220-FileZilla FTP\r\n", 443, Protocol.FTP),
        (b"* OK IMAP\r\n", 443, Protocol.IMAP),
        (b"+OK\r\n", 443, Protocol.POP3),
        (b"\x4a\x00\x00\x00\x0a8.0\x00", 443, Protocol.MYSQL),
        (b"<?xml version='1.0'?><stream:stream><stream:error>", 443, Protocol.XMPP),
        (b"<html><body>", 443, None),
        (b"HTTP/1.1 400 Bad Request\r\n", 443, None),
        (b"SSH-2.0-OpenSSH\r\n", 443, None),
        (b"", 443, None),
    ],
)
def test_banners_tell_their_protocol(banner: bytes, port: int, protocol: Protocol | None) -> None:
    assert recognise(banner, port) is protocol


@given(st.binary(max_size=600), st.integers(1, 65535))
def test_any_banner_is_some_protocol_or_none(banner: bytes, port: int) -> None:
    recognised = recognise(banner, port)
    assert recognised is None or recognised not in {Protocol.AUTO, Protocol.TLS}


def test_goodbyes() -> None:
    party = Party("x", "a.test", 5222)
    assert farewell_after_dialogue(Protocol.SMTP, party) == Farewell(b"QUIT\r\n")
    assert farewell_after_dialogue(Protocol.POSTGRESQL, party) is None
    xmpp = farewell_after_dialogue(Protocol.XMPP, party)
    assert xmpp is not None
    assert xmpp.words.endswith(b"</stream:stream>")
    assert farewell_on_direct_port(465) == Farewell(b"QUIT\r\n", after_greeting=True)
    assert farewell_on_direct_port(636) == Farewell(b"\x30\x05\x02\x01\x02\x42\x00")
    assert farewell_on_direct_port(443) is None
