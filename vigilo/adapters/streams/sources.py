"""The sources we override or rely on, by hash: another Faust or aiokafka must be looked at before it is run."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Mapping
from types import MappingProxyType

# Made by `python -m vigilo.adapters.streams.sources` after reading the new sources and running `make faults`.
KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "faust.tables.recovery:Recovery.on_recovery_completed": "6ef567acf072e46d",
        "faust.tables.recovery:Recovery.on_rebalance": "aa4d997a1795ceae",
        "faust.tables.recovery:Recovery.revoke": "779302ebfab0b2db",
        "faust.tables.recovery:Recovery._restart_recovery": "6bd8a8558a2dffe4",
        "faust.tables.recovery:Recovery._slurp_changelogs": "7825c7e50f766d5a",
        "faust.tables.recovery:Recovery._wait": "ec7429b70176f8c6",
        "faust.tables.recovery:Recovery._build_offsets": "27eec86be06cb51f",
        "faust.tables.recovery:Recovery._build_highwaters": "91b4cc0d3724ae7b",
        "faust.tables.recovery:Recovery._seek_offsets": "19598ca63d94d250",
        "faust.tables.recovery:Recovery.active_remaining": "0dcc38568ad5018b",
        "faust.tables.manager:TableManager.recovery": "f0bf5de78b4c3d23",
        "faust.tables.manager:TableManager.on_rebalance": "2d2c23a07bf54328",
        "faust.tables.manager:TableManager._update_channels": "88e3941facc934d6",
        "faust.tables.manager:TableManager.on_start": "365dd25fbc0e0684",
        "faust.tables.base:Collection.data": "ade4a02ddd5582cb",
        "faust.tables.base:Collection.on_start": "daddcc354ad0b328",
        "faust.tables.base:Collection.on_rebalance": "0812ad692171a8fd",
        "faust.tables.base:Collection.apply_changelog_batch": "b980a78d3ae9b1e8",
        "faust.tables.base:Collection.on_recovery_completed": "b1526fb39ea0e77e",
        "faust.tables.base:Collection.persisted_offset": "d473d3ab3fd6f036",
        "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0afd8",
        "faust.transport.consumer:Consumer.ack": "5fcf41cf45153475",
        "faust.transport.consumer:Consumer.wait_empty": "e4662fe24f094819",
        "faust.transport.consumer:Consumer.commit": "a354437baaa08bf8",
        "faust.transport.consumer:Consumer.force_commit": "cc094614d22c70fb",
        "faust.transport.consumer:Consumer._commit_tps": "a20e230b05ae8b15",
        "faust.transport.consumer:Consumer._commit_offsets": "1a69799041188441",
        "faust.transport.consumer:Consumer._add_gap": "4df2573ded7c1c2c",
        "faust.transport.consumer:Consumer._drain_messages": "44a2500309e83c63",
        "faust.transport.consumer:Consumer.getmany": "4b168d84882a70d6",
        "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
        "faust.transport.consumer:Consumer.on_partitions_assigned": "29ce96596f05a18c",
        "faust.transport.consumer:Consumer.on_stop": "45b1d2210ce2b526",
        "faust.transport.drivers.aiokafka:ConsumerRebalanceListener.on_partitions_revoked": "348c3aec879faf80",
        "faust.transport.drivers.aiokafka:ConsumerRebalanceListener.on_partitions_assigned": "1c1f8406ad3698a6",
        "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0870ec53dea75083",
        "faust.transport.drivers.aiokafka:Consumer._to_message": "7c24f6511b2fcef7",
        "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_start": "38b4e8bd1e10723a",
        "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
        "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._commit": "932852ce7a23f658",
        "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
        "faust.transport.drivers.aiokafka:Producer._settings_extra": "a4c7bc41b6382223",
        "faust.transport.drivers.aiokafka:Producer._settings_default": "9c39987fb719e984",
        "faust.transport.drivers.aiokafka:Producer.on_start": "219c9a7a785d77b2",
        "faust.transport.drivers.aiokafka:Producer.flush": "36d0cb3615f65b01",
        "faust.transport.drivers.aiokafka:credentials_to_aiokafka_auth": "364c9c9c68523c50",
        "faust.app.base:App._new_transport": "42db531312dd776f",
        "faust.app.base:App._new_producer_transport": "eb3b4aa6a8961275",
        "faust.app.base:App.on_first_start": "ec655d9c223403cc",
        "faust.app.base:App.on_start": "480d70c6c72d042d",
        "faust.app.base:App.on_rebalance_start": "5c1e23de30674082",
        "faust.app.base:App._on_partitions_revoked": "d5c895bbe57dc73a",
        "faust.app.base:App._on_partitions_assigned": "de932b7927db85b3",
        "faust.app.base:App._update_assignment": "39d9f315c1228325",
        "faust.app.base:App._stop_consumer": "55854a5de12c3f52",
        "faust.app.base:App.on_stop": "bfe5a933defb2324",
        "faust.streams:Stream.noack": "921a6f5c674d32d4",
        "faust.streams:Stream.events": "c62f4dd3a73fe7aa",
        "faust.streams:Stream._c_aiter": "fa44582a5882e9df",
        "faust.streams:Stream._py_aiter": "3a48ee257a65435b",
        "faust.channels:Channel.queue": "549dd774f3e314a7",
        "mode.utils.queues:ThrowableQueue.empty": "737285dcae32c653",
        "mode.utils.queues:FlowControlEvent.suspend": "807929ab275a3b63",
        "faust.transport.consumer:Consumer._clean_unacked_messages": "11be2587e71c9162",
        "faust.types.tuples:Message.ack": "4751b72c4ed84153",
        "faust.types.tuples:ConsumerMessage.on_final_ack": "45d670b6a8ac4bd0",
        "aiokafka.consumer.group_coordinator:GroupCoordinator._send_req": "fa4b12e914ce9fcf",
        "aiokafka.consumer.group_coordinator:GroupCoordinator._do_heartbeat": "dc1d6632aaa68e96",
        "aiokafka.consumer.group_coordinator:GroupCoordinator._heartbeat_routine": "61d01028952239d0",
        "aiokafka.consumer.group_coordinator:GroupCoordinator.ensure_active_group": "33c84c1a93012e81",
        "aiokafka.consumer.group_coordinator:GroupCoordinator._on_join_prepare": "4d9524afc0ee2c2f",
        "aiokafka.consumer.group_coordinator:GroupCoordinator._on_join_complete": "0b0b3d204b408f3c",
        "aiokafka.consumer.group_coordinator:CoordinatorGroupRebalance._send_sync_group_request": "7429ca078ddf9bb7",
        "aiokafka.producer.sender:SendProduceReqHandler.do": "2dccd3d56b1607fb",
        "aiokafka.consumer.consumer:AIOKafkaConsumer.seek_to_committed": "f6cd85c8b70a4ccf",
        "mode.services:Service.wait_first": "feade6a31f8a6789",
        "faust.transport.consumer:Consumer._wait_next_records": "6218e1969a636b3f",
        "faust.transport.consumer:ThreadDelegateConsumer._getmany": "f9d47aa9010b5ff2",
        "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._seek_wait": "9d221e816d940467",
        "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be4348896b9b66af",
        "aiokafka.conn:AIOKafkaConnection.send": "5909ea32f4efca49",
        "aiokafka.client:AIOKafkaClient.send": "246b277687d7b687",
    }
)


class UnknownSource(Exception):
    """A library's source is not the one our overrides were written against."""


def source_hash(name: str) -> str:
    """The first 16 hex digits of the SHA-256 of one `module:Class.method`'s source. Raises UnknownSource."""
    module, _, path = name.partition(":")
    try:
        thing: object = importlib.import_module(module)
        for part in path.split("."):
            thing = inspect.getattr_static(thing, part)
        # Properties and mode's ServiceTask wrap the function they were made from.
        thing = getattr(thing, "fget", None) or getattr(thing, "fun", None) or thing
        source = inspect.getsource(thing)  # type: ignore[arg-type]
    except (ImportError, AttributeError, OSError, TypeError) as error:
        raise UnknownSource(f"{name} is gone or has no source: {error}") from error
    return hashlib.sha256(source.encode("utf-8")).hexdigest()[:16]


def check_sources(known: Mapping[str, str] = KNOWN) -> None:
    """Raises UnknownSource naming every source that is not the known one."""
    strange = [name for name, expected in known.items() if source_hash(name) != expected]
    if strange:
        raise UnknownSource(
            "these sources are not the ones the stream base was tested with: "
            + ", ".join(strange)
            + "; install the versions of uv.lock, or review vigilo/adapters/streams against the new ones"
        )


if __name__ == "__main__":
    for each in KNOWN:
        print(f'        "{each}": "{source_hash(each)}",')
