"""Who is told what: order, coming back, slow readers, limits."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from services.api.live.feed import (
    RESYNC_SECONDS,
    STREAMS,
    STREAMS_PER_CALLER,
    Feed,
    FeedEnded,
    Subscription,
    Told,
    TooManyStreams,
)
from services.api.live.notices import Notice
from services.api.live.stream import rendered

ONE, TWO = uuid4(), uuid4()


class Clock:
    """Stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def notice(workspace_id: UUID, *kinds: str, position: str = "p") -> Notice:
    return Notice(position, workspace_id, tuple({"kind": kind} for kind in kinds))


async def taken(subscription: Subscription) -> Sequence[tuple[str, str]]:
    """What may be sent at this moment: positions and kinds."""
    return [(one.position, one.kind) for one in await subscription.take(0)]


async def test_followers_hear_their_own_workspace_in_order() -> None:
    feed = Feed()
    mine, theirs = feed.subscribe(ONE, "a", after=None), feed.subscribe(TWO, "b", after=None)
    assert [kind for _, kind in await taken(mine)] == [kind for _, kind in await taken(theirs)] == ["ready"]
    feed.hear(notice(ONE, "host", "rule"))
    assert await taken(mine) == [("p.0", "host"), ("p.1", "rule")]
    assert await taken(mine) == await taken(theirs) == []


async def test_who_comes_back_gets_what_he_missed() -> None:
    feed = Feed()
    feed.hear(notice(ONE, "a", "b", position="p"))
    feed.hear(notice(TWO, "not mine", position="q"))
    feed.hear(notice(ONE, "c", position="r"))
    assert await taken(feed.subscribe(ONE, "x", after="p.0")) == [("p.1", "b"), ("r.0", "c")]
    assert await taken(feed.subscribe(ONE, "x", after="r.0")) == [("r.0", "ready")]


async def test_the_position_of_ready_is_one_to_come_back_to() -> None:
    feed = Feed()
    ((begin, _),) = await taken(feed.subscribe(ONE, "x", after=None))
    feed.hear(notice(ONE, "a"))
    assert await taken(feed.subscribe(ONE, "x", after=begin)) == [("p.0", "a")]


async def test_who_was_away_too_long_or_was_elsewhere_looks_at_everything() -> None:
    feed = Feed(remembered=2)
    feed.hear(notice(ONE, "a", "b", "c", "d"))
    for lost in ("p.0", "no-such-position", "p.9"):
        assert await taken(feed.subscribe(ONE, "x", after=lost)) == [("p.3", "resync")]
    # The last forgotten one is still a place to go on from.
    assert await taken(feed.subscribe(ONE, "x", after="p.1")) == [("p.2", "c"), ("p.3", "d")]


async def test_a_slow_reader_gets_one_resync_in_place_of_all_and_goes_on_from_there() -> None:
    feed = Feed(queued=3)
    slow = feed.subscribe(ONE, "x", after=None)
    feed.hear(notice(ONE, *["a"] * 50))
    assert await taken(slow) == [("p.49", "resync")]
    feed.hear(notice(ONE, "b", position="q"))
    assert await taken(slow) == [("q.0", "b")]


async def test_resyncs_do_not_come_one_upon_the_other() -> None:
    clock = Clock()
    feed = Feed(clock=clock)
    follower = feed.subscribe(ONE, "x", after=None)
    for number in range(3):
        feed.hear(Notice(f"all-{number}", ONE, None))
        feed.hear(notice(ONE, "covered", position=f"p{number}"))
        expected = [("p0.0", "resync")] if number == 0 else []
        assert await taken(follower) == expected
    clock.now += RESYNC_SECONDS
    assert await taken(follower) == [("p2.0", "resync")]


async def test_an_interruption_is_told_to_all_and_forgets_what_was() -> None:
    feed = Feed()
    followers = [feed.subscribe(workspace, "x", after=None) for workspace in (ONE, TWO)]
    feed.hear(notice(ONE, "a"))
    feed.interrupted()
    for follower in followers:
        assert [kind for _, kind in await taken(follower)] == ["resync"]
    assert [kind for _, kind in await taken(feed.subscribe(ONE, "x", after="p.0"))] == ["resync"]


async def test_many_events_leave_in_pieces() -> None:
    feed = Feed()
    follower = feed.subscribe(ONE, "x", after=None)
    feed.hear(notice(ONE, *["a"] * 250))
    pieces = [len(await taken(follower)) for _ in range(4)]
    assert pieces == [100, 100, 51, 0]


async def test_a_caller_has_so_many_streams_and_gets_one_back_by_leaving() -> None:
    feed = Feed()
    held = [feed.subscribe(ONE, "x", after=None) for _ in range(STREAMS_PER_CALLER)]
    with pytest.raises(TooManyStreams) as refusal:
        feed.subscribe(TWO, "x", after=None)
    assert refusal.value.by_caller
    feed.subscribe(ONE, "y", after=None)
    feed.leave(ONE, "x", held[0])
    feed.subscribe(ONE, "x", after=None)
    assert feed.streams == STREAMS_PER_CALLER + 1


async def test_all_together_have_so_many_streams() -> None:
    feed = Feed()
    for number in range(STREAMS):
        feed.subscribe(ONE, str(number), after=None)
    with pytest.raises(TooManyStreams) as refusal:
        feed.subscribe(ONE, "x", after=None)
    assert not refusal.value.by_caller


async def test_at_the_end_streams_end_and_none_begins() -> None:
    feed = Feed()
    follower = feed.subscribe(ONE, "x", after=None)
    feed.end()
    assert follower.ended.is_set()
    with pytest.raises(FeedEnded):
        feed.subscribe(ONE, "x", after=None)


def test_events_are_sent_as_the_standard_has_them() -> None:
    told = [Told("p.0", "host", '{"kind":"host"}'), Told("p.1", "rule", "{}")]
    assert rendered(told) == b'id: p.0\nevent: host\ndata: {"kind":"host"}\n\nid: p.1\nevent: rule\ndata: {}\n\n'
