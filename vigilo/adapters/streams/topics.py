"""The topics a service needs: waited for, never created, checked for partition counts and cleanup policy."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from vigilo.adapters.streams.settings import StreamSettings

logger = logging.getLogger("vigilo.streams")

_LOOK_AGAIN_S = 1.0
_SAY_AGAIN_S = 5.0


class UnfitTopics(Exception):
    """Topics exist but cannot be used as they are; the message says which and why."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the broker says about one topic. `compacted` is True if its offsets may have holes."""

    partitions: int
    compacted: bool


async def await_topics(settings: StreamSettings, names: Iterable[str]) -> dict[str, TopicFacts]:
    """The facts of every topic (logical names), once all exist; until then one log line every few seconds."""
    wanted = {settings.physical(name): name for name in names}
    said_at = -_SAY_AGAIN_S
    while True:
        found, trouble = await _look(settings, wanted)
        missing = sorted(set(wanted) - set(found))
        if not missing:
            return {wanted[topic]: facts for topic, facts in found.items()}
        if time.monotonic() - said_at >= _SAY_AGAIN_S:
            logger.warning("waiting: %s", trouble or f"missing topics {', '.join(missing)}; run `vigilo topics apply`")
            said_at = time.monotonic()
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _look(settings: StreamSettings, wanted: Iterable[str]) -> tuple[dict[str, TopicFacts], str | None]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.bootstrap,
        request_timeout_ms=int(settings.request_timeout_s * 1000),
        **settings.aiokafka_security,
    )
    try:
        await admin.start()
        return await _facts(admin, wanted), None
    except (KafkaError, OSError, TimeoutError) as error:
        return {}, f"no answer from Kafka at {settings.bootstrap}: {error}"
    finally:
        await admin.close()


async def _facts(admin: AIOKafkaAdminClient, wanted: Iterable[str]) -> dict[str, TopicFacts]:
    present = set(wanted) & set(await admin.list_topics())
    if not present:
        return {}
    counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(sorted(present))}
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": None}) for topic in sorted(present)]
    policies = _policies(await admin.describe_configs(asked))
    return {
        topic: TopicFacts(partitions=count, compacted="compact" in policies[topic])
        for topic, count in counts.items()
        if count and topic in policies
    }


def _policies(responses: Iterable[Any]) -> Mapping[str, str]:
    # Fields of DescribeConfigs: error code, error message, resource type, resource name, entries (name, value, ...).
    found: dict[str, str] = {}
    for response in responses:
        for _code, _message, _type, name, entries in (tuple(resource) for resource in response.resources):
            for entry in entries:
                if entry[0] == "cleanup.policy":
                    found[name] = entry[1]
    return found


def shared_partition_count(facts: Mapping[str, TopicFacts], *, names: Iterable[str], expected: int | None) -> int:
    """The one partition count of all co-partitioned topics. Raises UnfitTopics if they differ, or from `expected`."""
    counts = {name: facts[name].partitions for name in names}
    if len(set(counts.values())) != 1:
        raise UnfitTopics(f"host-keyed topics must have one partition count, found {counts}")
    count = next(iter(counts.values()))
    if expected is not None and count != expected:
        raise UnfitTopics(f"host-keyed topics have {count} partitions, the settings say {expected}")
    return count


async def until(condition: Callable[[], bool], *, every_s: float = 0.05) -> None:
    """Returns once the condition holds."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(every_s)
