"""Everything people configured about alerts, as one immutable value with versions.

A version is the next offset to read of a one-partition topic. Rows and transitions record it, so a decision can be
taken again from the same configuration, and a row knows whether it is behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Generic, TypeVar
from uuid import UUID

from vigilo.events.envelope import Event
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule, RecordStatus, Snooze

RULES_TOPIC = "alert-rules"
SNOOZES_TOPIC = "snoozes"

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Placed(Generic[E]):
    """A configuration record and its offset."""

    offset: int
    record: E


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`rules` and `snoozes`: the last record of each, deleted ones included. `versions`: by topic, the next offset.

    `unreadable`: rules of which there is no record this version can read. Their alerts are left as they are.
    """

    rules: Mapping[UUID, Placed[AlertRule]]
    snoozes: Mapping[UUID, Placed[Snooze]]
    versions: Mapping[str, int]
    unreadable: frozenset[UUID]
    live: Mapping[UUID, tuple[AlertRule, ...]] = field(repr=False)
    snoozed: Mapping[UUID, tuple[Snooze, ...]] = field(repr=False)

    @classmethod
    def of(
        cls,
        rules: Iterable[Placed[AlertRule]] = (),
        snoozes: Iterable[Placed[Snooze]] = (),
        *,
        versions: Mapping[str, int] | None = None,
        unreadable: Iterable[UUID] = (),
    ) -> RuleSet:
        """The rule set of these records, at most one per rule and per snooze."""
        by_rule = {one.record.rule_id: one for one in rules}
        by_snooze = {one.record.snooze_id: one for one in snoozes}
        live: dict[UUID, list[AlertRule]] = {}
        for rule_id in sorted(by_rule):
            rule = by_rule[rule_id].record
            if rule.status is RecordStatus.ACTIVE and rule.enabled:
                live.setdefault(rule.workspace_id, []).append(rule)
        snoozed: dict[UUID, list[Snooze]] = {}
        for placed in by_snooze.values():
            if placed.record.status is RecordStatus.ACTIVE:
                snoozed.setdefault(placed.record.workspace_id, []).append(placed.record)
        return cls(
            rules=MappingProxyType(by_rule),
            snoozes=MappingProxyType(by_snooze),
            versions=MappingProxyType(dict(versions or {})),
            unreadable=frozenset(unreadable) - by_rule.keys(),
            live=MappingProxyType({workspace: tuple(those) for workspace, those in live.items()}),
            snoozed=MappingProxyType({workspace: tuple(those) for workspace, those in snoozed.items()}),
        )

    @classmethod
    def as_read(
        cls, rules: Iterable[Placed[AlertRule]], snoozes: Iterable[Placed[Snooze]], versions: Mapping[str, int]
    ) -> RuleSet:
        """The rule set as it was when both topics had been read up to `versions` (DecidedBy.config_version).

        Of everything ever written, in the order of its offsets; tombstones left out, as the last record before one
        still counts for those who must close. For replays: records that compaction has removed cannot be had back.
        """
        rules_read = _read(rules, versions.get(RULES_TOPIC, 0))
        snoozes_read = _read(snoozes, versions.get(SNOOZES_TOPIC, 0))
        return cls.of(
            {one.record.rule_id: one for one in rules_read}.values(),
            {one.record.snooze_id: one for one in snoozes_read}.values(),
            versions=versions,
        )

    def rules_of(self, workspace_id: UUID) -> tuple[AlertRule, ...]:
        """The enabled rules of a workspace, in the order of their ids."""
        return self.live.get(workspace_id, ())

    def rule(self, rule_id: UUID) -> AlertRule | None:
        """The last record of a rule, deleted or not; None once its tombstone has been read."""
        placed = self.rules.get(rule_id)
        return None if placed is None else placed.record

    def changed_since(self, workspace_id: UUID, version: int) -> tuple[AlertRule, ...]:
        """The enabled rules of a workspace written at or after that version."""
        if version >= self.versions.get(RULES_TOPIC, 0):
            return ()
        return tuple(rule for rule in self.rules_of(workspace_id) if self.rules[rule.rule_id].offset >= version)

    def snoozes_changed_since(self, workspace_id: UUID | None, version: int) -> bool:
        """True if a snooze of the workspace, ended ones included, was written at or after that version."""
        placed = self.snoozes.values()
        return any(one.offset >= version and one.record.workspace_id == workspace_id for one in placed)

    def snoozed_until(self, rule: AlertRule, host: Host, at: datetime) -> datetime | None:
        """The end of the silence over this rule at this host, None if there is none now.

        The latest end counts, of host, rule and tag snoozes that are running.
        """
        ends = [one.until for one in self.snoozed.get(rule.workspace_id, ()) if _covers(one, rule, host, at)]
        if host.snooze is not None and host.snooze.since <= at < host.snooze.until:
            ends.append(host.snooze.until)
        return max(ends, default=None)


def _read(records: Iterable[Placed[E]], end: int) -> Iterator[Placed[E]]:
    """Those before `end` that are newer than what was written of the same thing before, as every reader takes them."""
    latest: dict[UUID, int] = {}
    for one in records:
        record = one.record
        if one.offset >= end or not isinstance(record, AlertRule | Snooze):
            continue
        name = record.rule_id if isinstance(record, AlertRule) else record.snooze_id
        if record.version > latest.get(name, 0):
            latest[name] = record.version
            yield one


def _covers(snooze: Snooze, rule: AlertRule, host: Host, at: datetime) -> bool:
    if not snooze.since <= at < snooze.until:
        return False
    return snooze.rule_id == rule.rule_id if snooze.rule_id is not None else snooze.tag in host.tags
