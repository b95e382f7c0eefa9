"""Positions move one record at a time and are all that is ever committed."""

from __future__ import annotations

from vigilo.adapters.streams.positions import Place, Positions

A = ("p-told", 0)
HOSTS = ("p-hosts", 0)


def started(following: int | None, *, committed: int | None = None) -> Positions:
    positions = Positions(compacted=["p-hosts"])
    for partition in (A, HOSTS):
        positions.start(partition, following, committed=committed, now=0.0)
    return positions


def test_the_next_offset_is_next_and_earlier_ones_are_repeated() -> None:
    positions = started(5, committed=5)
    assert positions.place(A, 5) is Place.NEXT
    assert positions.place(A, 4) is Place.REPEATED


def test_a_hole_is_a_gap_unless_the_topic_is_compacted() -> None:
    positions = started(5, committed=5)
    assert positions.place(A, 7) is Place.GAP
    assert positions.place(HOSTS, 7) is Place.NEXT


def test_what_is_in_work_is_neither_next_again_nor_committed() -> None:
    positions = started(5, committed=5)
    positions.take(A, 5)
    positions.take(A, 6)
    assert positions.place(A, 6) is Place.REPEATED
    assert positions.place(A, 7) is Place.NEXT
    assert positions.place(A, 8) is Place.GAP
    positions.processed(A, 5, now=1.0)
    assert positions.committable() == {A: 6}
    assert positions.place(A, 7) is Place.NEXT


def test_any_first_offset_is_next_while_nothing_is_known() -> None:
    assert started(None).place(A, 90) is Place.NEXT


def test_only_what_moved_is_committed_and_only_once() -> None:
    positions = started(5, committed=5)
    assert positions.committable() == {}
    positions.processed(A, 5, now=1.0)
    positions.processed(HOSTS, 9, now=1.0)
    assert positions.committable() == {A: 6, HOSTS: 10}
    positions.committed({A: 6})
    assert positions.committable() == {HOSTS: 10}
    assert positions.committed_offset(A) == 6


def test_a_group_without_offsets_commits_where_it_began() -> None:
    assert started(3).committable() == {A: 3, HOSTS: 3}


def test_partitions_that_went_are_forgotten_even_if_a_commit_names_them_later() -> None:
    positions = started(5, committed=5)
    positions.keep_only([HOSTS])
    positions.committed({A: 9})
    assert [partition for partition, _ in positions.items()] == [HOSTS]
    assert positions.committed_offset(A) is None
