from __future__ import annotations

import pytest

from services.api.projector.bounds import Bounds, TopicRecreated, skipped
from vigilo.adapters.kafka.records import Partition

ONE, OTHER = Partition("snapshots", 0), Partition("snapshots", 1)


def test_positions_inside_their_topics_stay() -> None:
    bounds = {ONE: Bounds(3, 9), OTHER: Bounds(0, 0)}
    assert skipped({ONE: 3, OTHER: 0}, bounds) == {}
    assert skipped({ONE: 9, OTHER: 0}, bounds) == {}


def test_a_position_before_the_begin_moves_there() -> None:
    assert skipped({ONE: 2, OTHER: 5}, {ONE: Bounds(3, 9), OTHER: Bounds(5, 5)}) == {ONE: 3}


def test_a_position_beyond_the_end_tells_of_another_topic() -> None:
    with pytest.raises(TopicRecreated, match="snapshots partition 1 ends at 4"):
        skipped({ONE: 3, OTHER: 5}, {ONE: Bounds(3, 9), OTHER: Bounds(0, 4)})
