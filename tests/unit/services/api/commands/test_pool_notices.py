"""When people are told of a pool that lost its network: once, at most once an hour, and once when it is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.api.commands.pool_notices import FRESH, NOT_WITHIN, PoolSeen, Told, commands, decide

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seen(*, suspect: datetime | None = None, well: datetime | None = None) -> PoolSeen:
    return PoolSeen("dc-1", 40, 30 if suspect else 0, suspect, well)


def test_a_fresh_suspicion_is_told_and_told_once() -> None:
    notice = decide(seen(suspect=AT, well=AT - MINUTE), None, at=AT)
    assert notice is not None and notice.lost
    assert "30 of 40 hosts" in notice.text and "dc-1" in notice.title
    assert decide(seen(suspect=AT + MINUTE), notice.after, at=AT + MINUTE) is None


def test_an_old_suspicion_is_none() -> None:
    assert decide(seen(suspect=AT - FRESH), None, at=AT) is None


def test_the_end_needs_an_answer_after_the_last_suspicion() -> None:
    told = Told(AT, AT)
    later = AT + FRESH + MINUTE
    assert decide(seen(suspect=AT), told, at=later) is None
    assert decide(seen(suspect=AT, well=AT - MINUTE), told, at=later) is None
    assert decide(seen(suspect=AT, well=AT + MINUTE), told, at=AT + 2 * MINUTE) is None, "others still see nothing"
    notice = decide(seen(suspect=AT, well=AT + MINUTE), told, at=later)
    assert notice is not None and not notice.lost
    assert (notice.began, notice.after) == (AT, Told(None, AT))


def test_ids_are_the_same_for_the_same_notice_and_differ_otherwise() -> None:
    lost = decide(seen(suspect=AT), None, at=AT)
    well = decide(seen(well=AT + FRESH), Told(AT, AT), at=AT + 2 * FRESH)
    assert lost is not None and well is not None
    one, two = UUID(int=1), UUID(int=2)
    made = [commands(notice, [one, two], workspace_id=one, by="system", at=AT) for notice in (lost, well, lost)]
    assert made[0] == made[2]
    assert len({command.command_id for some in made for command in some}) == 4


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=200))
def test_however_it_comes_and_goes_it_is_told_in_turn_and_at_most_once_an_hour(scans: list[tuple[int, bool]]) -> None:
    at, suspect, well, told = AT, None, None, None
    begun: list[datetime] = []
    states: list[bool] = []
    for seconds, lost in scans:
        at += timedelta(seconds=seconds)
        suspect, well = (at, well) if lost else (suspect, at)
        notice = decide(seen(suspect=suspect, well=well), told, at=at)
        if notice is not None:
            told = notice.after
            states.append(notice.lost)
            begun += [at] if notice.lost else []
    assert all(later - earlier >= NOT_WITHIN for earlier, later in pairwise(begun))
    assert states == [number % 2 == 0 for number in range(len(states))]
