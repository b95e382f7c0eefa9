"""The partitioner agrees with aiokafka's, which Faust's producer uses."""

from __future__ import annotations

from uuid import UUID, uuid5

from aiokafka.partitioner import murmur2 as oracle
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.partitioner import murmur2, partition_for

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@given(st.binary(max_size=80))
def test_any_bytes_hash_as_aiokafka_hashes_them(data: bytes) -> None:
    assert murmur2(data) == oracle(data) & 0xFFFFFFFF


def test_keys_of_the_java_client_keep_their_hash() -> None:
    # From Kafka's own UtilsTest.testMurmur2, as unsigned numbers.
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF
    assert murmur2(b"a-little-bit-long-string") == -985981536 & 0xFFFFFFFF
    assert murmur2(b"abc") == 479470107


def test_a_thousand_host_keys_spread_over_all_partitions() -> None:
    seen = {partition_for(str(uuid5(NAMESPACE, str(n))).encode(), 12) for n in range(1000)}
    assert seen == set(range(12))
