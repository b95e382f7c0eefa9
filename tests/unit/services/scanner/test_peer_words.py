from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scanner.peer_words import alert_name, describe_banner, looks_like_tls


@pytest.mark.parametrize(
    ("first", "tls"),
    [(b"\x16\x03\x03", True), (b"\x15", True), (b"\x16\x02", False), (b"220 ", False), (b"\x80\x2e\x01", False)],
)
def test_tls_shows_in_the_first_bytes(first: bytes, tls: bool) -> None:
    assert looks_like_tls(first) is tls


@pytest.mark.parametrize(
    ("banner", "words"),
    [
        (b"HTTP/1.0 400 Bad\r\n\r\n", "not TLS but HTTP: HTTP/1.0 400 Bad"),
        (b"220 x FTP server\r\n", "not TLS but FTP: 220 x FTP server"),
        (b"+OK ready\r\n", "not TLS but POP3: +OK ready"),
        (b"\xff\xfe\n", "not TLS: the server sent"),
    ],
)
def test_banners_are_named(banner: bytes, words: str) -> None:
    assert words in describe_banner(banner)


def test_unregistered_alerts_keep_their_number() -> None:
    assert (alert_name(112), alert_name(250)) == ("unrecognized_name", "alert 250")


@given(st.binary(min_size=1, max_size=2000))
def test_any_banner_is_described_in_a_line(banner: bytes) -> None:
    assert len(describe_banner(banner)) < 400
