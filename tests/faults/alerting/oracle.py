"""Every decision taken once more, by the pure core alone, from the inputs and what each row says of its decision.

A row names its input (topic, partition, offset), the clock and, where the host was judged, the configuration. So the
oracle knows what must have come out: the next row and its transitions, to the byte. What Kafka holds must agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from services.alerter.decide import Alerter
from services.alerter.state import HostAlerts
from tests.faults.alerting.journal import Journal
from vigilo.adapters.streams.inputs import InputReader
from vigilo.adapters.streams.rows import GuardRow, RowCodec, SideRows, StoredEvent
from vigilo.alerting.config import RULES_TOPIC, SNOOZES_TOPIC, Placed, RuleSet
from vigilo.events.codec import decode, encode
from vigilo.events.envelope import Record
from vigilo.events.rules import AlertRule, Snooze

SOURCE = "vigilo/alerter"
COLUMNS = ("inputs", "transitions", "lost", "doubled", "strange", "unapplied", "otherwise", "repeats")


@dataclass(slots=True)
class Verdict:
    """What came out. `repeats`: the same transition read again, same id, same bytes: allowed, readers know it.

    `lost`: decided, never in the topic. `doubled`: one id, two contents. `strange`: in the topic, never decided.
    `unapplied`: inputs no row ever named. `otherwise`: rows that are not what the core makes of their input; the first
    few are told in `examples`.
    """

    inputs: int = 0
    transitions: int = 0
    lost: int = 0
    doubled: int = 0
    strange: int = 0
    unapplied: int = 0
    otherwise: int = 0
    repeats: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """True if nothing is wrong."""
        return not any((self.lost, self.doubled, self.strange, self.unapplied, self.otherwise))


def judge(journal: Journal, *, partitions: int) -> Verdict:
    """Holds the journal against the core."""
    verdict = Verdict(inputs=sum(map(len, journal.inputs.values())))
    replay = _Replay(journal, partitions, verdict)
    decided: dict[str, StoredEvent] = {}
    for key, rows in _by_key(journal.rows).items():
        for stored in replay.key(key, rows):
            decided[_id(stored.headers)] = stored
    verdict.unapplied = sum(map(len, journal.inputs.values())) - len(replay.applied)
    _compare(journal.transitions, decided, verdict)
    return verdict


def _compare(transitions: Iterable[Record], decided: Mapping[str, StoredEvent], verdict: Verdict) -> None:
    seen: dict[str, bytes | None] = {}
    times: Counter[str] = Counter()
    for record in transitions:
        name = record.header("ce_id") or ""
        times[name] += 1
        verdict.doubled += seen.setdefault(name, record.value) != record.value
        if name not in decided:
            verdict.strange += times[name] == 1
        elif (decided[name].value or "").encode() != record.value:
            verdict.doubled += 1
    verdict.transitions = len(seen)
    verdict.lost = len(decided.keys() - seen.keys())
    verdict.repeats = sum(count - 1 for count in times.values())


class _Replay:
    """The core, fed again."""

    def __init__(self, journal: Journal, partitions: int, verdict: Verdict) -> None:
        self._records = {
            (topic, one.partition, one.offset): one for topic, records in journal.inputs.items() for one in records
        }
        self._journal = journal
        self._rules: dict[tuple[int, int], RuleSet] = {}
        self._present = RuleSet.of()
        self._alerter = Alerter(lambda: self._present)
        self._codec: RowCodec[HostAlerts] = RowCodec(HostAlerts)
        self._reader = InputReader(Alerter.inputs, partitions=partitions, compacted=frozenset({"hosts"}))
        self._verdict = verdict
        self.applied: set[tuple[str, int, int]] = set()

    def key(self, key: bytes, rows: Iterable[Record]) -> Iterable[StoredEvent]:
        """Takes the decisions of one host again; yields what they said."""
        state: HostAlerts | None = None
        side: dict[str, bytes] = {}
        for record in rows:
            if record.value is None:
                state, side = None, {}
                continue
            row = self._codec.decode(record.value)
            state, side = self._again(key, row, state, side)
            yield from row.outbox

    def _again(
        self, key: bytes, row: GuardRow[HostAlerts], state: HostAlerts | None, side: dict[str, bytes]
    ) -> tuple[HostAlerts | None, dict[str, bytes]]:
        place = (row.input.topic, row.input.partition, row.input.offset)
        if place in self.applied:
            self._tell(f"{key.decode()}: {place} was applied twice")
        self.applied.add(place)
        self._present = self._rules_for(row.state)
        given = self._reader.read(self._records[place])
        decision = self._alerter.decide(state, SideRows(side, Alerter.side_models), given, at=row.input.at)
        said = [StoredEvent.of(encode(one, source=SOURCE)) for one in decision.outputs]
        if said != row.outbox or _json(decision.state) != _json(row.state):
            self._tell(f"{key.decode()}: {place} at {row.input.at}: the core decides otherwise")
        return row.state, _moved(side, decision.side)

    def _rules_for(self, state: HostAlerts | None) -> RuleSet:
        if state is None or state.rules_version < 0:
            return self._present
        versions = (state.rules_version, state.snoozes_version)
        if versions not in self._rules:
            self._rules[versions] = self._rule_set(*versions)
        return self._rules[versions]

    def _rule_set(self, rules: int, snoozes: int) -> RuleSet:
        return RuleSet.of(
            _placed(self._journal.configuration[RULES_TOPIC], AlertRule, "rule_id", rules),
            _placed(self._journal.configuration[SNOOZES_TOPIC], Snooze, "snooze_id", snoozes),
            versions={RULES_TOPIC: rules, SNOOZES_TOPIC: snoozes},
        )

    def _tell(self, text: str) -> None:
        self._verdict.otherwise += 1
        if len(self._verdict.examples) < 5:
            self._verdict.examples.append(text)


def _placed(records: Iterable[Record], model: Any, key: str, version: int) -> list[Placed[Any]]:
    latest: dict[object, Placed[Any]] = {}
    for record in records:
        if record.offset < version and record.value is not None:
            event = decode(record, model)
            latest[getattr(event, key)] = Placed(record.offset, event)
    return list(latest.values())


def _moved(side: dict[str, bytes], changes: Mapping[str, BaseModel | None]) -> dict[str, bytes]:
    moved = dict(side)
    for table, model in changes.items():
        if model is None:
            moved.pop(table, None)
        else:
            moved[table] = model.model_dump_json().encode()
    return moved


def _by_key(rows: Iterable[Record]) -> dict[bytes, list[Record]]:
    by_key: dict[bytes, list[Record]] = {}
    for record in rows:
        by_key.setdefault(record.key or b"", []).append(record)
    return by_key


def _json(model: BaseModel | None) -> str | None:
    return None if model is None else model.model_dump_json()


def _id(headers: list[tuple[str, str]]) -> str:
    return dict(headers)["ce_id"]
