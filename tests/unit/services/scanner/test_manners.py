"""Never five lines within ten minutes, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from services.scanner.manners import LINES_MAX, WINDOW, Manners
from vigilo.tls.starttls.mail import MailService

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MX, OTHER = ip_address("192.0.2.1"), ip_address("192.0.2.2")
TRANSPORT, MAILBOX = MailService.TRANSPORT, MailService.MAILBOX
BAN_AT, BAN_WITHIN = 5, timedelta(minutes=10)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def test_three_questions_then_none_until_the_window_has_passed() -> None:
    clock = Clock()
    manners = Manners(clock)
    assert [manners.take(MX, TRANSPORT, 2) for _ in range(3)] == [2, 1, 0]
    clock.at += WINDOW - timedelta(seconds=1)
    assert manners.take(MX, TRANSPORT, 2) == 0
    clock.at += timedelta(seconds=1)
    assert manners.take(MX, TRANSPORT, 2) == 2


def test_each_service_of_each_address_has_its_own_log() -> None:
    manners = Manners(Clock())
    assert manners.take(MX, TRANSPORT, 3) == 3
    assert (manners.take(MX, MAILBOX, 3), manners.take(OTHER, TRANSPORT, 3)) == (3, 3)


def test_what_was_not_asked_is_there_for_others() -> None:
    manners = Manners(Clock())
    manners.take(MX, TRANSPORT, 3)
    manners.give_back(MX, TRANSPORT, 2)
    assert manners.take(MX, TRANSPORT, 3) == 2


def test_handshakes_may_take_the_last_line() -> None:
    manners = Manners(Clock())
    manners.take(MX, MAILBOX, 3)
    assert manners.has_room(MX, MAILBOX)
    manners.note(MX, MAILBOX)
    assert not manners.has_room(MX, MAILBOX)


def test_after_all_questions_at_once_no_more_are_asked_but_handshakes_go_on() -> None:
    clock = Clock()
    manners = Manners(clock)
    manners.note_all(MX, MAILBOX)
    assert manners.take(MX, MAILBOX, 3) == 0
    assert manners.has_room(MX, MAILBOX)
    assert manners.take(OTHER, MAILBOX, 3) == 3
    clock.at += WINDOW
    assert manners.take(MX, MAILBOX, 3) == 3


def test_after_a_start_nothing_is_asked_until_the_window_has_passed() -> None:
    clock = Clock()
    manners = Manners(clock, since=NOON)
    assert manners.take(MX, TRANSPORT, 3) == 0
    clock.at += WINDOW
    assert manners.take(MX, TRANSPORT, 3) == 3


@given(st.lists(st.tuples(st.sampled_from("qh"), st.integers(1, 5), st.integers(0, 700)), max_size=60))
def test_whoever_asks_first_is_never_one_too_many(steps: list[tuple[str, int, int]]) -> None:
    clock, lines = Clock(), list[datetime]()
    manners = Manners(clock)
    for kind, count, seconds in steps:
        clock.at += timedelta(seconds=seconds)
        if kind == "q":
            lines += [clock.at] * manners.take(MX, MAILBOX, count)
        elif manners.has_room(MX, MAILBOX):
            manners.note(MX, MAILBOX)
            lines.append(clock.at)
    for begin in lines:
        assert len([one for one in lines if begin <= one <= begin + BAN_WITHIN]) <= LINES_MAX < BAN_AT
