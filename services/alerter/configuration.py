"""Rules and snoozes as read from their topics, turned into one immutable RuleSet after each change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

from vigilo.adapters.streams import BroadcastReader
from vigilo.alerting.config import RULES_TOPIC, SNOOZES_TOPIC, Placed, RuleSet
from vigilo.events.codec import UndecodableRecord, decode, key_uuid
from vigilo.events.envelope import Record
from vigilo.events.rules import AlertRule, Snooze

logger = logging.getLogger("vigilo.alerter")

E = TypeVar("E", AlertRule, Snooze)


class Configuration:
    """The rule set of the moment. `readers` are handed to the stream service; `on_change` hears of every new set.

    A record nobody can read is left out with a log line, and the version before it stays if we have read it: one bad
    rule must not stop the others, nor close its own alerts.
    """

    def __init__(self, on_change: Callable[[], None] | None = None) -> None:
        self._rules: _Decoded[AlertRule] = _Decoded(RULES_TOPIC, AlertRule, self._changed)
        self._snoozes: _Decoded[Snooze] = _Decoded(SNOOZES_TOPIC, Snooze, self._changed)
        self._current: RuleSet | None = None
        self.on_change = on_change

    @property
    def readers(self) -> tuple[BroadcastReader, ...]:
        """The readers of both topics."""
        return (self._rules.reader, self._snoozes.reader)

    def current(self) -> RuleSet:
        """The last complete rule set."""
        if self._current is None:
            self._rules.take_all()
            self._snoozes.take_all()
            self._current = self._built()
        return self._current

    def _changed(self) -> None:
        if self._current is None:
            return  # nobody has asked yet; the first who asks gets everything
        self._current = self._built()
        if self.on_change is not None:
            self.on_change()

    def _built(self) -> RuleSet:
        versions = {one.topic: one.version for one in self.readers}
        return RuleSet.of(
            self._rules.placed.values(),
            self._snoozes.placed.values(),
            versions=versions,
            unreadable=self._rules.unreadable,
        )


class _Decoded(Generic[E]):
    """The latest readable record per key of one topic; a deleted one stays after its tombstone while we live."""

    def __init__(self, topic: str, model: type[E], changed: Callable[[], None]) -> None:
        self.reader = BroadcastReader(topic, on_change=self._take)
        self.placed: dict[str, Placed[E]] = {}
        self.unreadable: set[UUID] = set()
        self._model: type[E] = model
        self._changed = changed

    def take_all(self) -> None:
        """Decodes what the reader holds."""
        for key, record in self.reader.records.items():
            self._decode(key, record)

    def _take(self, keys: frozenset[str]) -> None:
        for key in sorted(keys):
            record = self.reader.records.get(key)
            if record is not None:
                self._decode(key, record)
        self._changed()

    def _decode(self, key: str, record: Record) -> None:
        try:
            aggregate = key_uuid(record)
        except UndecodableRecord as error:
            self._complain(record, error)
            return
        try:
            new = Placed(record.offset, decode(record, self._model))
        except UndecodableRecord as error:
            self._complain(record, error)
            self.unreadable.add(aggregate)
            return
        self.unreadable.discard(aggregate)
        old = self.placed.get(key)
        # Records carry the aggregate's version: a repeated or overtaken one is dropped.
        if old is None or new.record.version > old.record.version:
            self.placed[key] = new

    def _complain(self, record: Record, error: UndecodableRecord) -> None:
        logger.error("%s at offset %d cannot be used: %s", record.topic, record.offset, error)
