"""The rows of schemas/topics/*.yaml: every topic's key, event, retention, partitions, producers and consumers.

A row that is wrong, or does not fit the others, is a BadTopicRow naming the file and the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

import vigilo
from vigilo.adapters.settings import parse_duration
from vigilo.events.hosts import Target
from vigilo.events.registry import TOPIC_MODELS
from vigilo.events.topics import changelog_topic

SCHEMAS: Final = Path(vigilo.__file__).resolve().parent.parent / "schemas"
MEBIBYTE: Final = 1024 * 1024

CHANGELOG_CONFIG: Final[Mapping[str, int | float | str]] = {
    "segment.bytes": 32 * MEBIBYTE,
    "segment.ms": 3_600_000,
    "min.cleanable.dirty.ratio": 0.1,
    "max.compaction.lag.ms": 3_600_000,
}
# A dead letter is its record plus our headers: room for any record that another topic took.
_SIZE_LIMITS: Final[Mapping[str, int]] = {"dead-letters": 2 * MEBIBYTE}
_SETTABLE: Final = frozenset(
    {
        "message.timestamp.type",
        "max.message.bytes",
        "segment.bytes",
        "segment.ms",
        "min.cleanable.dirty.ratio",
        "max.compaction.lag.ms",
        "delete.retention.ms",
    }
)


class BadTopicRow(Exception):
    """A row nobody should create a topic from; one line per problem: file, field, what is wrong."""


class Service(StrEnum):
    """Who may write or read a topic. `outside` are systems that are not Vigilo; `cli` is the `vigilo` command."""

    API = "api"
    PROJECTOR = "projector"
    SCHEDULER = "scheduler"
    SCANNER = "scanner"
    GRADER = "grader"
    ALERTER = "alerter"
    NOTIFIER = "notifier"
    CLI = "cli"
    OUTSIDE = "outside"


class Key(StrEnum):
    """What the key of a record is."""

    HOST_ID = "host_id"
    WORKSPACE_ID = "workspace_id"
    RULE_ID = "rule_id"
    SNOOZE_ID = "snooze_id"
    CHANNEL_ID = "channel_id"
    DELIVERY_ID = "delivery_id"
    ITEM_ID = "item_id"
    HOSTNAME = "hostname"
    AS_RECEIVED = "as-received"


class Cleanup(StrEnum):
    """Kafka's cleanup.policy; the two are never mixed."""

    DELETE = "delete"
    COMPACT = "compact"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventRef(_Part):
    """The event a topic carries, and the versions of it that may be in the topic."""

    type: str
    versions: tuple[int, ...] = Field(min_length=1)


class TableRef(_Part):
    """The table whose changelog a topic is."""

    service: Service
    name: str = Field(pattern="^[a-z]+$")
    role: Literal["guard", "side"]


def _retention(value: object) -> object:
    return parse_duration(value) if value not in {"HISTORY", "forever"} else value


Retention = Annotated[timedelta | Literal["HISTORY", "forever"], BeforeValidator(_retention)]


class TopicRow(_Part):
    """One row. Exactly one of `event` and `table` is given, except for dead-letters, which has neither."""

    topic: str = Field(pattern="^[a-z]+(-[a-z]+)*$", max_length=60)
    description: str = Field(min_length=20)
    key: Key
    event: EventRef | None = None
    table: TableRef | None = None
    cleanup: Cleanup
    retention: Retention
    partitions: Literal["host-keyed", "one"] | Annotated[int, Field(ge=2, le=100)]
    per_pool: bool = False
    producers: tuple[Service, ...] = Field(min_length=1)
    consumers: tuple[Service, ...] = Field(min_length=1)
    config: Mapping[str, int | float | str]

    @model_validator(mode="after")
    def _coherent(self) -> TopicRow:
        problems = [f"{field}: {problem}" for field, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @cached_property
    def is_changelog(self) -> bool:
        """True for the changelog of a service's table."""
        return self.table is not None

    def partition_count(self, host_partitions: int) -> int:
        """How many partitions the topic has in an installation with that many for host-keyed topics."""
        if self.partitions == "host-keyed":
            return host_partitions
        return 1 if self.partitions == "one" else self.partitions

    def retention_ms(self, history: timedelta) -> int:
        """Kafka's retention.ms; -1 for ever."""
        if self.retention == "forever":
            return -1
        length = history if self.retention == "HISTORY" else self.retention
        return int(length.total_seconds() * 1000)

    def kafka_config(self, history: timedelta) -> dict[str, str]:
        """Every setting the topic has in Kafka beyond the broker's defaults."""
        own = {name: f"{value}" for name, value in self.config.items()}
        return {"cleanup.policy": str(self.cleanup), "retention.ms": str(self.retention_ms(history)), **own}


def _problems(row: TopicRow) -> Iterator[tuple[str, str]]:
    yield from _content_problems(row)
    yield from _retention_problems(row)
    yield from _config_problems(row)
    if (row.partitions == "host-keyed") != (row.key is Key.HOST_ID):
        yield "partitions", "host-keyed exactly when the key is host_id, so that all of a host meets in one partition"
    if row.per_pool and row.key is not Key.HOSTNAME:
        yield "per_pool", "only scan requests are made per pool"


def _content_problems(row: TopicRow) -> Iterator[tuple[str, str]]:
    if row.topic == "dead-letters":
        if row.event or row.table:
            yield "event", "dead-letters carries records as received"
        return
    if (row.event is None) == (row.table is None):
        yield "event", "give exactly one of event and table"
    if row.event is not None:
        yield from _event_problems(row, row.event)
    if row.table is not None:
        expected = changelog_topic(row.table.service, row.table.name)
        if row.topic != expected:
            yield "topic", f"the changelog of this table is named {expected}"
        if row.producers != (row.table.service,) or row.consumers != (row.table.service,):
            yield "producers", "only the table's own service writes and reads its changelog"


def _event_problems(row: TopicRow, event: EventRef) -> Iterator[tuple[str, str]]:
    model = TOPIC_MODELS.get(row.topic)
    if model is None:
        yield "topic", "no event model is registered for this topic"
        return
    if event.type != model.type_name:
        yield "event.type", f"the registered model is {model.type_name}, not {event.type}"
    if event.versions != tuple(range(1, model.version_number + 1)):
        yield "event.versions", f"expected 1 to {model.version_number} without a gap"
    in_target = "target" in model.model_fields and row.key in Target.model_fields
    if not (in_target or row.key in model.model_fields or hasattr(model, row.key)):
        yield "key", f"{model.type_name} has no field {row.key}"


def _retention_problems(row: TopicRow) -> Iterator[tuple[str, str]]:
    if row.cleanup is Cleanup.COMPACT and row.retention != "forever":
        yield "retention", "a compacted topic keeps the last record of every key: forever"
    if isinstance(row.retention, timedelta) and row.retention < timedelta(hours=1):
        yield "retention", "at least one hour"


def _config_problems(row: TopicRow) -> Iterator[tuple[str, str]]:
    for name in sorted(set(row.config) - _SETTABLE):
        yield f"config.{name}", "not a setting that rows may make"
    if row.config.get("message.timestamp.type") != "LogAppendTime":
        yield "config.message.timestamp.type", "every topic is stamped by the broker: LogAppendTime"
    limit = _SIZE_LIMITS.get(row.topic, MEBIBYTE)
    if row.config.get("max.message.bytes") != limit:
        yield "config.max.message.bytes", f"expected {limit}"
    if row.cleanup is Cleanup.DELETE and "delete.retention.ms" in row.config:
        yield "config.delete.retention.ms", "only compacted topics have tombstones"
    for name, value in CHANGELOG_CONFIG.items() if row.is_changelog else ():
        if row.config.get(name) != value:
            yield f"config.{name}", f"a changelog has {value}"
    if row.is_changelog and row.cleanup is not Cleanup.COMPACT:
        yield "cleanup", "a changelog is compacted"


def load_rows(folder: Path = SCHEMAS / "topics") -> dict[str, TopicRow]:
    """All rows by topic, sorted. Raises BadTopicRow with every problem found."""
    rows: dict[str, TopicRow] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            row = load_row(path)
            rows[row.topic] = row
        except BadTopicRow as error:
            problems.append(str(error))
    if not rows and not problems:
        problems.append(f"{folder}: no topic rows here")
    problems.extend(set_problems(rows) if not problems else ())
    if problems:
        raise BadTopicRow("\n".join(problems))
    return rows


def load_row(path: Path) -> TopicRow:
    """One row. Raises BadTopicRow; problems between rows are found by `load_rows`."""
    try:
        row = TopicRow.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise BadTopicRow(f"{path.name}: not YAML: {error}") from error
    except ValidationError as error:
        raise BadTopicRow("\n".join(_complaints(path, error))) from error
    if row.topic != path.stem:
        raise BadTopicRow(f"{path.name}: topic: {row.topic} belongs into {row.topic}.yaml")
    return row


def _complaints(path: Path, error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"])
        for line in re.sub("^Value error, ", "", problem["msg"]).splitlines():
            yield f"{path.name}: {field}: {line}" if field else f"{path.name}: {line}"


def set_problems(rows: Mapping[str, TopicRow]) -> Iterator[str]:
    """What is wrong between rows: events without a topic, dead-letters that go before what they came from."""
    for topic in sorted(set(TOPIC_MODELS) - set(rows)):
        yield f"{topic}.yaml: topic: missing, though an event model is registered for it"
    letters = rows.get("dead-letters")
    if letters is None:
        yield "dead-letters.yaml: topic: missing"
        return
    read_by_us = [row for row in rows.values() if set(row.consumers) - {Service.OUTSIDE, Service.CLI}]
    longest = max((row.retention for row in read_by_us if isinstance(row.retention, timedelta)), default=timedelta(0))
    if not isinstance(letters.retention, timedelta) or letters.retention <= longest:
        yield f"dead-letters.yaml: retention: must be longer than the {longest.days} days of the topics they come from"
