"""What `vigilo dlq` prints of a dead letter: everything, and nothing a terminal would obey."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from vigilo.adapters.kafka.deadletters import DeadLetter, parse_dead_letter
from vigilo.events.envelope import Headers, Record
from vigilo.ports.deadletters import dead_letter
from vigilo_cli.dlq import app, summary, whole

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def letter_of(
    *, key: bytes | None = b"k", value: bytes | None = b"{}", headers: Headers = (), detail: str = "port: too big"
) -> DeadLetter:
    """A record refused by the grader, as it is read back from dead-letters."""
    record = Record("snapshots", 3, 77, 0, key, value, headers)
    written = dead_letter(record, reason="invalid", detail=detail, service="grader", at=AT)
    return parse_dead_letter(Record("dead-letters", 0, 5, 0, written.key, written.value, written.headers))


def test_reading_back_takes_our_headers_off_again() -> None:
    letter = letter_of(headers=(("ce_id", b"1"), ("x", b"\xff")))
    assert letter.headers == (("ce_id", b"1"), ("x", b"\xff"))
    assert letter.origin == "snapshots/3/77"
    assert letter.about["reason"] == "invalid"


def test_of_two_refusals_the_newest_counts() -> None:
    first = dead_letter(Record("a", 0, 1, 0, b"k", b"v", ()), reason="old", detail="", service="grader", at=AT)
    again = Record("a", 0, 9, 0, first.key, first.value, first.headers)
    second = dead_letter(again, reason="new", detail="", service="grader", at=AT)
    letter = parse_dead_letter(Record("dead-letters", 0, 0, 0, second.key, second.value, second.headers))
    assert (letter.about["reason"], letter.origin) == ("new", "a/0/9")


def test_a_line_of_the_list() -> None:
    assert summary(letter_of()) == "2026-11-23T12:00:00Z  grader  invalid  snapshots/3/77  port: too big"


def test_the_whole_letter_as_text() -> None:
    shown = "\n".join(whole(letter_of(value=b'{"port": 65536}', headers=(("ce_id", b"1"),))))
    for part in ("dead-letters/0/5", "snapshots/3/77", "invalid", "header       ce_id: 1", "key          k"):
        assert part in shown
    assert '{"port": 65536}' in shown


def test_bytes_that_are_no_text_are_shown_as_hex() -> None:
    shown = "\n".join(whole(letter_of(key=b"\xff\x00", value=bytes(range(250, 256)) + b"AB")))
    assert "0xff00" in shown
    assert "00000000  fa fb fc fd fe ff 41 42" in shown
    assert "......AB" in shown


HOSTILE = "\x1b[2J\x07\u202e\u200bred\r\x9b31m\x00[bold]"


@pytest.mark.parametrize("place", ["key", "value", "header", "header name", "detail"])
def test_nothing_in_a_letter_reaches_the_terminal_as_control(place: str) -> None:
    letter = letter_of(
        key=HOSTILE.encode() if place == "key" else b"k",
        value=HOSTILE.encode() if place == "value" else b"{}",
        headers=((HOSTILE if place == "header name" else "h", HOSTILE.encode() if place == "header" else b"v"),),
        detail=HOSTILE if place == "detail" else "d",
    )
    shown = "\n".join([summary(letter), *whole(letter)])
    assert "\\x1b[2J" in shown
    assert not [char for char in shown if char != "\n" and not char.isprintable()]


def test_a_tombstone_and_an_omitted_value_are_told_apart() -> None:
    assert "value        (none)" in list(whole(letter_of(value=None)))
    omitted = letter_of(value=None)
    omitted = DeadLetter(omitted.record, {**omitted.about, "value_omitted": "3000000"}, ())
    assert "value        (3000000 bytes, too large to keep)" in list(whole(omitted))


def test_a_huge_value_is_cut_and_says_so() -> None:
    assert list(whole(letter_of(value=b"x" * 70_000)))[-1] == "... 4464 more bytes"


def test_a_cut_inside_a_character_is_still_text() -> None:
    lines = list(whole(letter_of(value=("a" + "é" * 40_000).encode())))
    assert lines[-2].startswith("aé")


def test_a_position_that_is_none_is_refused_before_anything_is_asked() -> None:
    result = CliRunner().invoke(app, ["show", "snapshots-77"])
    assert result.exit_code == 2
    assert "not TOPIC/PARTITION/OFFSET: snapshots-77" in result.stderr
