"""Which partition a key belongs to: murmur2, as the Java client's default partitioner. Pure.

Every producer of Vigilo uses it (librdkafka needs `partitioner=murmur2_random`; its own default is CRC32), and every
stateful consumer checks it. Source: org.apache.kafka.common.utils.Utils.murmur2 and Utils.toPositive.
"""

from __future__ import annotations

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_MASK = 0xFFFFFFFF


def partition_for(key: bytes, partitions: int) -> int:
    """The partition, 0 <= p < `partitions`, that Kafka's default partitioner chooses for this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Murmur2 of `data` with Kafka's seed, as an unsigned 32-bit number."""
    length = len(data)
    h = _SEED ^ length
    whole = length - length % 4
    for index in range(0, whole, 4):
        h = (h * _M ^ _mixed(int.from_bytes(data[index : index + 4], "little"))) & _MASK
    if whole < length:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


def _mixed(word: int) -> int:
    k = (word * _M) & _MASK
    return ((k ^ (k >> _R)) * _M) & _MASK
