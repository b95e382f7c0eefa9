"""Topics as the rows want them: created, brought up to date, waited for. Nothing else ever creates a topic.

`apply` and `missing_topics` block; call them from a command or through an executor.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs forget to re-export
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from vigilo.adapters.kafka.admin import Admin, admin_client, has_leaders, text_of
from vigilo.adapters.kafka.topic_rows import TopicRow
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.topics import PUBLIC_POOL, pool_topic

logger = logging.getLogger("vigilo.kafka.topics")

_REQUEST_SECONDS: Final = 20.0
# A first look while the cluster is still electing may take a moment; an operator sees a line every few seconds.
_SAY_EVERY_SECONDS: Final = 5.0
_LOOK_EVERY_SECONDS: Final = 0.5


class TopicsUnusable(Exception):
    """The topics cannot be brought to what the rows say; the message says what to do."""


class MissingTopics(TopicsUnusable):
    """Topics did not appear in time."""


class Action(StrEnum):
    """What was done, or would be done, to a topic."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One topic as it should be; `name` is the logical one."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicOutcome:
    """What became of one topic. `changes` maps a setting to (old, new)."""

    name: str
    action: Action
    partitions: int
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def wanted_topics(
    rows: Iterable[TopicRow], *, host_partitions: int, history: timedelta, pools: Iterable[str] = ()
) -> list[Wanted]:
    """Every topic of an installation. Rows made per pool give one topic for each pool, `public` always among them.

    Raises vigilo.events.topics.BadPoolName.
    """
    every_pool = sorted({PUBLIC_POOL, *pools})
    return [
        Wanted(name, row.partition_count(host_partitions), row.kafka_config(history))
        for row in rows
        for name in ([pool_topic(row.topic, pool) for pool in every_pool] if row.per_pool else [row.topic])
    ]


def apply(settings: KafkaSettings, wanted: Iterable[Wanted], *, dry_run: bool = False) -> list[TopicOutcome]:
    """Creates what is missing and alters settings that differ; never deletes a topic and never adds partitions.

    Settings that no row makes are left alone. Raises TopicsUnusable, before anything is changed, when a topic has
    another number of partitions than wanted; also when Kafka refuses or cannot be reached.
    """
    admin = admin_client(settings)
    try:
        return _apply(admin, settings, list(wanted), dry_run=dry_run)
    except KafkaException as error:
        raise TopicsUnusable(f"Kafka at {settings.bootstrap}: {admin.why(error)}") from error


def _apply(admin: AdminClient, settings: KafkaSettings, wanted: list[Wanted], *, dry_run: bool) -> list[TopicOutcome]:
    existing = admin.list_topics(timeout=_REQUEST_SECONDS).topics
    present = [topic for topic in wanted if settings.physical(topic.name) in existing]
    absent = [topic for topic in wanted if settings.physical(topic.name) not in existing]
    refuse_other_partitions(present, {topic.name: _partitions(existing, settings, topic.name) for topic in present})
    differing = _differences(admin, settings, present)
    if not dry_run:
        _create(admin, settings, absent)
        _alter(admin, settings, differing)
        _await_settings(admin, settings, [topic for topic in present if topic.name in differing])
    created = {topic.name for topic in absent}
    return [_outcome(topic, topic.name in created, differing.get(topic.name, {})) for topic in wanted]


def _outcome(topic: Wanted, created: bool, changes: Mapping[str, tuple[str, str]]) -> TopicOutcome:
    action = Action.CREATED if created else Action.CHANGED if changes else Action.UNCHANGED
    return TopicOutcome(topic.name, action, topic.partitions, changes)


def _partitions(existing: Mapping[str, TopicMetadata], settings: KafkaSettings, name: str) -> int:
    return len(existing[settings.physical(name)].partitions)


def refuse_other_partitions(wanted: Iterable[Wanted], found: Mapping[str, int]) -> None:
    """Raises TopicsUnusable naming every topic whose number of partitions is not the wanted one."""
    wrong = [
        f"{topic.name} has {found[topic.name]} partitions, wanted {topic.partitions}"
        for topic in wanted
        if found[topic.name] != topic.partitions
    ]
    if wrong:
        raise TopicsUnusable(
            "; ".join(wrong) + ". The number is fixed once a topic exists, for keys would move: set "
            "VIGILO_KAFKA_HOST_PARTITIONS to what is there, or use another VIGILO_KAFKA_TOPIC_PREFIX"
        )


def _create(admin: AdminClient, settings: KafkaSettings, absent: list[Wanted]) -> None:
    if not absent:
        return
    new = [
        NewTopic(
            settings.physical(topic.name),
            num_partitions=topic.partitions,
            replication_factor=settings.replication,
            config=dict(topic.config) | _durability(settings),
        )
        for topic in absent
    ]
    for name, future in admin.create_topics(new, operation_timeout=_REQUEST_SECONDS).items():
        try:
            future.result(timeout=_REQUEST_SECONDS * 2)
        except KafkaException as error:
            # Somebody else applied the same rows at the same moment.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicsUnusable(f"{name} was not created: {text_of(error)}") from error
    _await_leaders(admin, settings, absent)


def _durability(settings: KafkaSettings) -> dict[str, str]:
    # With three copies a write is acknowledged by two; with fewer, one must do or a lost broker stops everything.
    return {"min.insync.replicas": "2" if settings.replication >= 3 else "1"}


def _await_leaders(admin: AdminClient, settings: KafkaSettings, created: list[Wanted]) -> None:
    names = [settings.physical(topic.name) for topic in created]
    deadline = time.monotonic() + _REQUEST_SECONDS
    while True:
        metadata = admin.list_topics(timeout=_REQUEST_SECONDS).topics
        if all(has_leaders(metadata.get(name)) for name in names):
            return
        if time.monotonic() > deadline:
            raise TopicsUnusable("topics were created, but their partitions have no leaders yet: try again")
        time.sleep(0.1)


def _differences(
    admin: AdminClient, settings: KafkaSettings, present: list[Wanted]
) -> dict[str, dict[str, tuple[str, str]]]:
    if not present:
        return {}
    resources = {
        settings.physical(t.name): ConfigResource(ResourceType.TOPIC, settings.physical(t.name)) for t in present
    }
    answers = admin.describe_configs(list(resources.values()), request_timeout=_REQUEST_SECONDS)
    described = {resource.name: future.result(timeout=_REQUEST_SECONDS * 2) for resource, future in answers.items()}
    found = {topic.name: differing(topic.config, described[settings.physical(topic.name)]) for topic in present}
    return {name: changes for name, changes in found.items() if changes}


def differing(wanted: Mapping[str, str], described: Mapping[str, ConfigEntry]) -> dict[str, tuple[str, str]]:
    """Settings whose value is another, or is only the broker's default of today: name -> (old, new)."""
    changes = {}
    for name, value in wanted.items():
        entry = described.get(name)
        old = entry.value if entry is not None else ""
        if entry is None or old != value or ConfigSource(entry.source) is not ConfigSource.DYNAMIC_TOPIC_CONFIG:
            changes[name] = (old or "", value)
    return changes


def _alter(admin: AdminClient, settings: KafkaSettings, changes: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
    if not changes:
        return
    resources = []
    for name, entries in changes.items():
        resource = ConfigResource(ResourceType.TOPIC, settings.physical(name))
        for setting, (_, new) in entries.items():
            entry = ConfigEntry(setting, new, incremental_operation=AlterConfigOpType.SET)
            resource.add_incremental_config(entry)
        resources.append(resource)
    for resource, future in admin.incremental_alter_configs(resources).items():
        try:
            future.result(timeout=_REQUEST_SECONDS * 2)
        except KafkaException as error:
            raise TopicsUnusable(f"{resource.name} was not altered: {text_of(error)}") from error


def _await_settings(admin: AdminClient, settings: KafkaSettings, altered: list[Wanted]) -> None:
    # The controller answers before every broker has heard of it.
    deadline = time.monotonic() + _REQUEST_SECONDS
    while _differences(admin, settings, altered):
        if time.monotonic() > deadline:
            raise TopicsUnusable("settings were altered, but the brokers still show the old ones: try again")
        time.sleep(0.1)


def missing_topics(settings: KafkaSettings, names: Iterable[str], *, timeout: float = 5.0) -> list[str]:
    """The logical names that do not exist, or have no leader yet. Raises TopicsUnusable when Kafka does not answer."""
    return _missing(admin_client(settings), settings, names, timeout)


def _missing(admin: Admin, settings: KafkaSettings, names: Iterable[str], timeout: float) -> list[str]:
    try:
        existing = admin.list_topics(timeout=timeout).topics
    except KafkaException as error:
        raise TopicsUnusable(f"Kafka at {settings.bootstrap} does not answer: {admin.why(error)}") from error
    return [name for name in names if not has_leaders(existing.get(settings.physical(name)))]


async def wait_for_topics(
    settings: KafkaSettings,
    names: Iterable[str],
    *,
    timeout: timedelta = timedelta(minutes=10),
    say: Callable[[str], None] = logger.warning,
) -> None:
    """Returns once all topics exist and have leaders; says what is missing at once and every few seconds.

    Raises MissingTopics after `timeout`.
    """
    names = list(names)
    admin = admin_client(settings)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    next_line = loop.time()
    while complaint := await loop.run_in_executor(None, _complaint, admin, settings, names):
        if loop.time() > deadline:
            raise MissingTopics(complaint)
        if loop.time() >= next_line:
            say(complaint)
            next_line = loop.time() + _SAY_EVERY_SECONDS
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _complaint(admin: Admin, settings: KafkaSettings, names: list[str]) -> str | None:
    try:
        missing = _missing(admin, settings, names, timeout=5.0)
    except TopicsUnusable as error:
        return f"waiting for Kafka: {error}"
    if not missing:
        return None
    shown = ", ".join(settings.physical(name) for name in missing)
    return f"waiting for topics: {shown} (created by `vigilo topics apply`)"


def topics_of(rows: Iterable[TopicRow], service: str) -> Iterator[str]:
    """The logical topics a service writes or reads, pools aside."""
    for row in rows:
        if service in row.producers or service in row.consumers:
            yield row.topic
