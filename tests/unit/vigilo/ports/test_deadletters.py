"""Dead letters keep the record whole; too many of them stop the service."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vigilo.events.envelope import Record
from vigilo.ports.deadletters import StopLimit, TooManyDeadLetters, dead_letter

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECORD = Record("snapshots", 3, 41, 0, b"\xff\x00", b"\x80not utf-8", (("ce_id", b"\xfe"), ("x", b"1"), ("x", b"2")))


def test_a_dead_letter_keeps_key_value_and_every_header() -> None:
    letter = dead_letter(RECORD, reason="bad-key", detail="why", service="grader", at=AT)
    assert (letter.topic, letter.key, letter.value) == ("dead-letters", b"\xff\x00", b"\x80not utf-8")
    assert letter.headers[-3:] == RECORD.headers


def test_a_dead_letter_says_where_it_came_from_and_why() -> None:
    letter = dead_letter(RECORD, reason="bad-key", detail="d" * 5_000, service="grader", at=AT)
    ours = {name: value.decode() for name, value in letter.headers[:7]}
    assert ours.pop("vigilo_dlq_detail") == "d" * 1_000
    assert ours == {
        "vigilo_dlq_reason": "bad-key",
        "vigilo_dlq_topic": "snapshots",
        "vigilo_dlq_partition": "3",
        "vigilo_dlq_offset": "41",
        "vigilo_dlq_service": "grader",
        "vigilo_dlq_time": "2026-11-23T12:00:00Z",
    }


def test_a_record_without_key_and_value_stays_without() -> None:
    letter = dead_letter(Record("t", 0, 0, 0, None, None, ()), reason="bad-key", detail="", service="s", at=AT)
    assert (letter.key, letter.value) == (None, None)


def test_refusals_in_a_row_stop_the_service() -> None:
    limit = StopLimit(consecutive=3)
    limit.refused()
    limit.refused()
    limit.accepted()
    limit.refused()
    limit.refused()
    with pytest.raises(TooManyDeadLetters, match="3 inputs in a row"):
        limit.refused()


def test_a_share_of_refusals_stops_the_service_once_the_window_is_full() -> None:
    limit = StopLimit(consecutive=100, ratio=0.5, window=10)
    for _ in range(4):
        limit.refused()
        limit.accepted()
    limit.refused()
    with pytest.raises(TooManyDeadLetters, match="6 of the last 10"):
        limit.refused()


def test_refusals_that_left_the_window_no_longer_count() -> None:
    limit = StopLimit(consecutive=100, ratio=0.5, window=4)
    for _ in range(2):
        limit.refused()
    for _ in range(4):
        limit.accepted()
    limit.refused()
    limit.refused()
