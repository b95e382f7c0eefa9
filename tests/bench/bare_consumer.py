"""A bare confluent-kafka consumer that decodes every event and keeps nothing: the yardstick beside the projector.

python -m tests.bench.bare_consumer BOOTSTRAP PREFIX TOTAL; prints events, wall and CPU seconds as one JSON object.
"""

from __future__ import annotations

import json
import sys
import time

from confluent_kafka import Consumer, Message

from services.api.projector.admission import TOPICS
from vigilo.events.codec import decode_value
from vigilo.events.registry import TOPIC_MODELS

BATCH = 1_000
SILENCE_S = 20.0


def main() -> None:
    """Reads from the beginning until `total` events are decoded; the first batch is not counted."""
    bootstrap, prefix, total = sys.argv[1], sys.argv[2], int(sys.argv[3])
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{prefix}bare",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([prefix + topic for topic in TOPICS])
    first = seen = len(_batch(consumer, prefix))
    wall, cpu = time.monotonic(), time.process_time()
    while seen < total:
        seen += len(_batch(consumer, prefix))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(json.dumps({"events": seen - first, "wall": wall, "cpu": cpu}))
    consumer.close()


def _batch(consumer: Consumer, prefix: str) -> list[object]:
    deadline = time.monotonic() + SILENCE_S
    while not (messages := consumer.consume(BATCH, 0.2)):
        assert time.monotonic() < deadline, "no more events"
    return [_decoded(message, prefix) for message in messages]


def _decoded(message: Message, prefix: str) -> object:
    topic, value = message.topic(), message.value()
    assert topic is not None
    assert value is not None, message.error()
    return decode_value(value, TOPIC_MODELS[topic.removeprefix(prefix)])


if __name__ == "__main__":
    main()
