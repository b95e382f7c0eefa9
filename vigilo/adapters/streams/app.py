"""The Faust app: settings that are safe, our transport, our tables' recovery."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP

from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.recovery import SeekFirstTableManager
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.table import ChangelogTable
from vigilo.adapters.streams.transport import HardenedTransport

RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}


class HookedApp(faust.App):
    """A Faust app that speaks through our transport and tells the service of rebalances."""

    hooks: Hooks

    def _new_transport(self) -> HardenedTransport:
        return HardenedTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> HardenedTransport:
        return HardenedTransport(self.conf.broker_producer, self)

    async def on_first_start(self) -> None:
        """Creates no directories: nothing is kept on disk."""

    def on_rebalance_start(self) -> None:
        """Runs in the consumer's thread as soon as partitions are being revoked."""
        self.hooks.revoked()
        super().on_rebalance_start()

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.hooks.positions.keep_only(assigned)
        await super()._on_partitions_assigned(assigned, generation_id)


def hardened_app(service: str, settings: StreamSettings, hooks: Hooks) -> HookedApp:
    """An app that creates no topics, waits for work in hand at a rebalance, and keeps its tables in memory."""
    manager = type("TableManager", (SeekFirstTableManager,), {"hooks": hooks})
    app = HookedApp(
        settings.group(service),
        broker=[f"aiokafka://{broker}" for broker in settings.bootstrap.split(",")],
        broker_credentials=credentials(settings),
        broker_client_id=settings.group(service),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_s,
        broker_rebalance_timeout=settings.rebalance_timeout_s,
        broker_request_timeout=settings.request_timeout_s,
        broker_commit_interval=settings.commit_interval_s,
        consumer_auto_offset_reset="earliest",
        producer_compression_type=settings.compression,
        producer_request_timeout=settings.request_timeout_s,
        TableManager=manager,
        store="memory://",
        # Faust makes no directory of its own (on_first_start), but insists on a path.
        datadir=tempfile.gettempdir(),
        stream_wait_empty=True,
        stream_buffer_maxsize=256,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        processing_guarantee="at_least_once",
        web_enabled=False,
        autodiscover=False,
    )
    app.hooks = hooks
    return app


def changelog_table(app: HookedApp, name: str, topic: str, partitions: int) -> ChangelogTable:
    """A table over the changelog topic of that name (as in Kafka)."""
    changelog = app.topic(topic, partitions=partitions, compacting=True, acks=False, allow_empty=True, **RAW)
    table = ChangelogTable(
        app, name=name, partitions=partitions, changelog_topic=changelog, key_type=bytes, value_type=bytes
    )
    table.hooks = app.hooks
    app.tables.add(table)
    return table


def input_channel(app: HookedApp, topics: Iterable[str]) -> Any:
    """One channel over all input topics (as in Kafka): one stream, so their partitions stay together."""
    return app.topic(*sorted(topics), allow_empty=True, **RAW)


def credentials(settings: StreamSettings) -> SASLCredentials | SSLCredentials | None:
    """Faust's form of the security settings; None for PLAINTEXT."""
    security: Any = settings.aiokafka_security
    protocol = security.get("security_protocol", "PLAINTEXT")
    context = security.get("ssl_context")
    if protocol.startswith("SASL_"):
        return SASLCredentials(
            username=security.get("sasl_plain_username"),
            password=security.get("sasl_plain_password"),
            mechanism=security.get("sasl_mechanism"),
            ssl_context=context,
        )
    return SSLCredentials(context) if protocol == "SSL" else None
