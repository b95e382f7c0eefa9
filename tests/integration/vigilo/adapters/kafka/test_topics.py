"""`topics apply` on a real broker: idempotent, incremental, and never touching partitions."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]

from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import (
    Action,
    MissingTopics,
    TopicsUnusable,
    Wanted,
    apply,
    missing_topics,
    wait_for_topics,
    wanted_topics,
)
from vigilo.adapters.settings import KafkaSettings

pytestmark = pytest.mark.kafka

HISTORY = timedelta(days=400)


def described(settings: KafkaSettings, topic: str) -> dict[str, str]:
    """A topic's settings as the broker tells them."""
    resource = ConfigResource(ResourceType.TOPIC, settings.physical(topic))
    admin = admin_client(settings)
    answers = admin.describe_configs([resource])
    return {name: entry.value for name, entry in answers[resource].result(timeout=10).items()}


def all_rows(settings: KafkaSettings, *, history: timedelta = HISTORY, pools: tuple[str, ...] = ()) -> list[Wanted]:
    return wanted_topics(load_rows().values(), host_partitions=settings.host_partitions, history=history, pools=pools)


def test_every_row_becomes_a_topic_once_and_a_second_run_changes_nothing(kafka: KafkaSettings) -> None:
    wanted = all_rows(kafka)
    assert {outcome.action for outcome in apply(kafka, wanted)} == {Action.CREATED}
    assert {outcome.action for outcome in apply(kafka, wanted)} == {Action.UNCHANGED}
    assert missing_topics(kafka, [topic.name for topic in wanted]) == []


def test_the_broker_has_what_the_rows_say(kafka: KafkaSettings) -> None:
    apply(kafka, all_rows(kafka))
    snapshots = described(kafka, "snapshots")
    assert snapshots["cleanup.policy"] == "delete"
    assert snapshots["retention.ms"] == str(400 * 86_400_000)
    assert snapshots["message.timestamp.type"] == "LogAppendTime"
    changelog = described(kafka, "alerter-alerts-changelog")
    assert (changelog["cleanup.policy"], changelog["max.compaction.lag.ms"]) == ("compact", "3600000")
    topics = admin_client(kafka).list_topics(timeout=10).topics
    assert len(topics[kafka.physical("hosts")].partitions) == 4
    assert len(topics[kafka.physical("alert-rules")].partitions) == 1


def test_a_new_history_alters_only_the_topics_that_keep_it(kafka: KafkaSettings) -> None:
    apply(kafka, all_rows(kafka))
    outcomes = apply(kafka, all_rows(kafka, history=timedelta(days=90)))
    changed = {outcome.name: outcome.changes for outcome in outcomes if outcome.action is Action.CHANGED}
    assert set(changed) == {"snapshots", "report-cards", "certificate-changes", "deliveries"}
    assert changed["snapshots"] == {"retention.ms": (str(400 * 86_400_000), str(90 * 86_400_000))}
    assert described(kafka, "snapshots")["retention.ms"] == str(90 * 86_400_000)


def test_a_dry_run_creates_and_alters_nothing(kafka: KafkaSettings) -> None:
    outcomes = apply(kafka, all_rows(kafka), dry_run=True)
    assert Counter(outcome.action for outcome in outcomes) == {Action.CREATED: len(load_rows())}
    assert "hosts" in missing_topics(kafka, ["hosts"])


def test_settings_no_row_makes_are_left_alone(kafka: KafkaSettings) -> None:
    by_hand = Wanted("hosts", 4, {"cleanup.policy": "compact", "file.delete.delay.ms": "12345"})
    apply(kafka, [by_hand])
    apply(kafka, [topic for topic in all_rows(kafka) if topic.name == "hosts"])
    assert described(kafka, "hosts")["file.delete.delay.ms"] == "12345"


def test_another_number_of_partitions_is_refused_before_anything_changes(kafka: KafkaSettings) -> None:
    apply(kafka, [Wanted("snapshots", 3, {})])
    with pytest.raises(TopicsUnusable, match=r"snapshots has 3 partitions, wanted 4.*VIGILO_KAFKA_HOST_PARTITIONS"):
        apply(kafka, all_rows(kafka))
    assert missing_topics(kafka, ["hosts", "snapshots"]) == ["hosts"]


def test_pools_get_pairs_of_their_own(kafka: KafkaSettings) -> None:
    outcomes = apply(kafka, all_rows(kafka, pools=("dc1",)))
    made = {outcome.name for outcome in outcomes if outcome.name.startswith("scan-requested")}
    assert made == {"scan-requested", "scan-requested-now", "scan-requested-dc1", "scan-requested-now-dc1"}


def test_a_broker_that_is_not_there_is_named() -> None:
    nowhere = KafkaSettings(bootstrap="127.0.0.1:1")
    with pytest.raises(TopicsUnusable, match=r"Kafka at 127\.0\.0\.1:1"):
        missing_topics(nowhere, ["hosts"], timeout=1.0)


async def test_waiting_says_what_is_missing_and_ends_when_it_appears(kafka: KafkaSettings) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    waiting = asyncio.create_task(wait_for_topics(kafka, ["hosts", "alerts"], say=said.put_nowait))
    line = await asyncio.wait_for(said.get(), timeout=10)
    assert kafka.physical("hosts") in line
    assert "vigilo topics apply" in line
    wanted = [topic for topic in all_rows(kafka) if topic.name in {"hosts", "alerts"}]
    await asyncio.to_thread(apply, kafka, wanted)
    await asyncio.wait_for(waiting, timeout=20)


async def test_waiting_is_bounded(kafka: KafkaSettings) -> None:
    with pytest.raises(MissingTopics, match="hosts"):
        await wait_for_topics(kafka, ["hosts"], timeout=timedelta(seconds=0.5))
