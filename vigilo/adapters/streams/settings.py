"""What a stream service needs to know about Kafka, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vigilo.adapters.settings import KafkaSettings

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Settings of one stream service. Topic names everywhere else are logical; the prefix is added here.

    The consumer group is `<group prefix><service>` (group prefix None = topic prefix), `ce_source` of everything the
    service writes is `source` or else `vigilo/<service>`. `aiokafka_security` are the keyword arguments that
    KafkaSecurity.for_aiokafka() gives. `host_partitions` set = refuse to start when the topics have another count.
    """

    bootstrap: str
    topic_prefix: str = "vigilo-"
    group_prefix: str | None = None
    source: str | None = None
    host_partitions: int | None = None
    aiokafka_security: Mapping[str, object] = field(default_factory=dict)

    session_timeout_s: float = 8.0
    heartbeat_s: float = 2.0
    rebalance_timeout_s: float = 30.0
    request_timeout_s: float = 30.0
    commit_interval_s: float = 1.0
    stop_timeout_s: float = 20.0

    # Events that share their acknowledgements at most. They wait for nobody: an event that comes alone goes alone.
    batch_size: int = 200

    # Of the row without its outbox: what every event of the key rewrites.
    guard_row_limit: int = 64 * KIB
    # Of anything written: key, value and headers. Topics and clients take 1 MiB.
    record_limit: int = 512 * KIB
    max_clock_skew_s: float = 30.0
    # A partition with lag that has not moved for so long makes the service unhealthy.
    stall_after_s: float = 60.0
    compression: str | None = "zstd"

    def __post_init__(self) -> None:
        if not 0 < self.heartbeat_s <= self.session_timeout_s / 3:
            raise ValueError("heartbeat_s must be at most a third of session_timeout_s")
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")

    @classmethod
    def of(cls, kafka: KafkaSettings, *, source: str | None = None) -> StreamSettings:
        """The settings that follow from the installation's Kafka settings."""
        return cls(
            bootstrap=kafka.bootstrap,
            topic_prefix=kafka.topic_prefix,
            group_prefix=kafka.group_prefix,
            source=source,
            host_partitions=kafka.host_partitions,
            batch_size=kafka.batch_size,
            aiokafka_security=kafka.security().for_aiokafka(),
        )

    def physical(self, topic: str) -> str:
        """The topic's name in Kafka."""
        return f"{self.topic_prefix}{topic}"

    def logical(self, topic: str) -> str:
        """The topic's name in our code."""
        return topic.removeprefix(self.topic_prefix)

    def group(self, service: str) -> str:
        """The consumer group of a service."""
        return f"{self.topic_prefix if self.group_prefix is None else self.group_prefix}{service}"

    def source_of(self, service: str) -> str:
        """`ce_source` of what a service writes."""
        return self.source or f"vigilo/{service}"


def changelog_topic(service: str, table: str) -> str:
    """The logical name of a table's changelog topic."""
    return f"{service}-{table}-changelog"
