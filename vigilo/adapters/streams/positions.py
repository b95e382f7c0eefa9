"""How far each input partition is: what comes next, what may be committed. Pure.

Faust counts acknowledged offsets and gaps; a gap counts as acknowledged, which is how records are lost after a
recovery. Here the loop alone moves a position, one record after the other, and only a position is ever committed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# (topic's name in Kafka, partition); equal to Faust's and aiokafka's named tuples.
TopicPartition = tuple[str, int]


class Place(enum.Enum):
    """Where an offset stands."""

    NEXT = "next"
    # Seen before in this assignment.
    REPEATED = "repeated"
    # Records between the position and this one were never seen: only right if the topic is compacted or was trimmed.
    GAP = "gap"


@dataclass(slots=True)
class Position:
    """`next` is the offset after the last processed record, `taken` after the last one in work; None until known.

    `moved_at` is monotonic.
    """

    next: int | None
    taken: int | None
    committed: int | None
    moved_at: float


class Positions:
    """The positions of all assigned input partitions.

    `compacted` names topics (as in Kafka) whose offsets have holes by nature.
    """

    def __init__(self, compacted: Iterable[str] = ()) -> None:
        self._compacted = frozenset(compacted)
        self._by_partition: dict[TopicPartition, Position] = {}

    def start(self, partition: TopicPartition, following: int | None, *, committed: int | None, now: float) -> None:
        """Reading begins again at `following`; `committed` is None if the group has no offset."""
        self._by_partition[partition] = Position(next=following, taken=following, committed=committed, moved_at=now)

    def place(self, partition: TopicPartition, offset: int) -> Place:
        """Where this offset stands behind those in work. Raises KeyError for a partition that was never started."""
        following = self._by_partition[partition].taken
        if following is None or offset == following:
            return Place.NEXT
        if offset < following:
            return Place.REPEATED
        return Place.NEXT if partition[0] in self._compacted else Place.GAP

    def take(self, partition: TopicPartition, offset: int) -> None:
        """The record at this offset is in work, with others before it that are not yet processed."""
        self._by_partition[partition].taken = offset + 1

    def processed(self, partition: TopicPartition, offset: int, *, now: float) -> None:
        """The record at this offset needs nothing more."""
        position = self._by_partition[partition]
        position.next = offset + 1
        position.taken = max(position.next, position.taken or 0)
        position.moved_at = now

    def committable(self) -> dict[TopicPartition, int]:
        """The offsets to commit: of partitions that moved since their last commit."""
        return {
            partition: position.next
            for partition, position in self._by_partition.items()
            if position.next is not None and position.next != position.committed
        }

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These offsets were committed."""
        for partition, offset in offsets.items():
            position = self._by_partition.get(partition)
            if position is not None:
                position.committed = offset

    def committed_offset(self, partition: TopicPartition) -> int | None:
        """The committed offset, None if there is none."""
        position = self._by_partition.get(partition)
        return None if position is None else position.committed

    def keep_only(self, partitions: Iterable[TopicPartition]) -> None:
        """Forgets every other partition."""
        kept = set(partitions)
        self._by_partition = {one: position for one, position in self._by_partition.items() if one in kept}

    def items(self) -> Iterable[tuple[TopicPartition, Position]]:
        """All positions, for health and metrics."""
        return self._by_partition.items()
