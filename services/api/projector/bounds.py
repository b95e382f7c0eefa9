"""Where the topics begin and end now, and whether the positions we keep fit that."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Final, cast

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # its stubs forget one

from services.api.projector.store import Positions
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.settings import KafkaSettings

logger = logging.getLogger("vigilo.api.projector")

_REQUEST_SECONDS: Final = 20.0


class TopicRecreated(Exception):
    """The read model has read further than a topic goes: it is not the topic it was made from."""


class KafkaUnreachable(Exception):
    """The broker does not say where the topics begin and end."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """First offset still there, and the offset the next record will get."""

    begin: int
    end: int


def partitions_of(settings: KafkaSettings, topics: Iterable[str]) -> list[Partition]:
    """Every partition of these topics. Raises KafkaUnreachable."""
    try:
        known = admin_client(settings).list_topics(timeout=_REQUEST_SECONDS).topics
        names = {topic: settings.physical(topic) for topic in topics}
        return [Partition(topic, number) for topic, name in names.items() for number in sorted(known[name].partitions)]
    except KeyError as error:
        raise KafkaUnreachable(f"there is no topic {error}: `vigilo topics apply` makes it") from error
    except KafkaException as error:
        raise KafkaUnreachable(f"cannot list topics: {error}") from error


def bounds_of(settings: KafkaSettings, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
    """The bounds of each partition. Blocks. Raises KafkaUnreachable."""
    asked = list(partitions)
    begins = _offsets(settings, asked, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    ends = _offsets(settings, asked, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    return {one: Bounds(begins[one], ends[one]) for one in asked}


def ends_of(settings: KafkaSettings, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The end of each partition. Blocks. Raises KafkaUnreachable."""
    return _offsets(settings, list(partitions), OffsetSpec.latest())  # type: ignore[no-untyped-call]


def _offsets(settings: KafkaSettings, partitions: list[Partition], which: OffsetSpec) -> dict[Partition, int]:
    wanted = {TopicPartition(settings.physical(one.topic), one.number): one for one in partitions}
    if not wanted:
        return {}
    try:
        client = admin_client(settings)  # must outlive its answers
        answers = client.list_offsets(dict.fromkeys(wanted, which), request_timeout=_REQUEST_SECONDS)
        found = {asked: answer.result(_REQUEST_SECONDS + 5) for asked, answer in answers.items()}
        return {wanted[asked]: cast("int", answer.offset) for asked, answer in found.items()}
    except (KafkaException, FutureTimeout) as error:
        raise KafkaUnreachable(f"cannot list offsets: {error}") from error


def skipped(positions: Mapping[Partition, int], bounds: Mapping[Partition, Bounds]) -> Positions:
    """The positions that lie before their topic's begin, moved there. Pure. Raises TopicRecreated."""
    for partition, position in positions.items():
        if position > bounds[partition].end:
            raise TopicRecreated(
                f"{partition.topic} partition {partition.number} ends at {bounds[partition].end}, but the read model "
                f"is made of it up to {position}: the topic was recreated. Run `vigilo rebuild --accept-loss`."
            )
    return {one: bounds[one].begin for one, position in positions.items() if position < bounds[one].begin}
