"""Whatever a peer sends, a dialogue ends in a value, within its bounds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls import protocols
from vigilo.tls.starttls.dialogue import DIALOGUE_MAX, NeedMore, Party, Ready, Refused, Step

PARTY = Party(own_name="scanner.test", peer_name="a.test", port=5222)

ENDLESS = {
    Protocol.SMTP: b"220-still greeting\r\n",
    Protocol.FTP: b"220-still greeting\r\n",
    Protocol.IMAP: b"* OK",
    Protocol.POP3: b"+OK ",
    Protocol.LDAP: b"\x30\x82\xff\xff",
    Protocol.XMPP: b"<error>",
    Protocol.MYSQL: b"\xff\xff\xff\x00",
}


@pytest.mark.parametrize(("protocol", "beginning"), ENDLESS.items())
def test_endless_answers_are_cut_off(protocol: Protocol, beginning: bytes) -> None:
    dialogue = protocols.dialogue(protocol, PARTY)
    step, received = dialogue.begin(), 0
    while isinstance(step, NeedMore):
        step = dialogue.receive(beginning * 256)
        received += len(beginning) * 256
        assert received <= DIALOGUE_MAX + len(beginning) * 256
    assert isinstance(step, Refused)
    assert "no end of" in step.reason


BEGINNINGS = [
    b"",
    b"220 a\r\n",
    b"* OK\r\n",
    b"+OK\r\n",
    b"<features><starttls/></features>",
    b"\x30\x0c\x02\x01",
    b"E\x00\x00",
    b"\x30\x84",
    b"\x20\x00\x00\x00\x0a8.0\x00",
]


def play(protocol: Protocol, chunks: Sequence[bytes]) -> Step:
    dialogue = protocols.dialogue(protocol, PARTY)
    step = dialogue.begin()
    for chunk in chunks:
        if not isinstance(step, NeedMore):
            break
        step = dialogue.receive(chunk)
    return step


@given(
    st.sampled_from(sorted(protocols.SPOKEN)),
    st.sampled_from(BEGINNINGS),
    st.lists(st.binary(min_size=1, max_size=64), max_size=20),
)
def test_any_bytes_end_in_a_value(protocol: Protocol, beginning: bytes, chunks: list[bytes]) -> None:
    step = play(protocol, [beginning, *chunks] if beginning else chunks)
    assert isinstance(step, NeedMore | Ready | Refused)


@given(
    st.sampled_from(sorted(protocols.SPOKEN)),
    st.text(alphabet="25034+-*OKaA12 \r\n<>/EBYSTRLf{}x", max_size=400),
    st.integers(1, 7),
)
def test_almost_right_words_end_in_a_value(protocol: Protocol, text: str, size: int) -> None:
    data = text.encode("ascii")
    step = play(protocol, [data[i : i + size] for i in range(0, len(data), size)])
    assert isinstance(step, NeedMore | Ready | Refused)
