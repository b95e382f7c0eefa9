"""A bare agent on stock Faust 0.15.3 that writes and awaits what one of our services does: the yardstick beside it.

It decodes nothing and decides nothing: per event one table write and, with `outputs`, one send, the same bytes as the
service wrote. Prints its progress to stdout, one JSON object a line.

python -m tests.bench.bare_agent CONFIG.json
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faust

SAY_EVERY_S = 0.25
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}


@dataclass(frozen=True, slots=True)
class BareConfig:
    """`row` and `output` in base64; without `output` nothing is sent and the row's acknowledgement is not awaited."""

    bootstrap: str
    group: str
    source: str
    changelog: str
    partitions: int
    row: str
    target: str | None = None
    output: str | None = None

    def dump(self, path: Path) -> None:
        """Writes the JSON file that `main` reads."""
        path.write_text(json.dumps(asdict(self)))


class BareWork:
    """The agent's body."""

    def __init__(self, config: BareConfig, app: Any) -> None:
        self.done = 0
        self._row = base64.b64decode(config.row)
        changelog = app.topic(config.changelog, partitions=config.partitions, compacting=True, **RAW)
        self._table = app.Table(
            "rows", partitions=config.partitions, changelog_topic=changelog, key_type=bytes, value_type=bytes
        )
        self._target = app.topic(config.target, **RAW) if config.target else None
        self._output = base64.b64decode(config.output or "")

    async def run(self, stream: Any) -> None:
        """Row, its acknowledgement, output, its acknowledgement; Faust acknowledges the event with the next one."""
        async for event in stream.events():
            message = event.message
            self._table.data[message.key] = self._row
            written = self._table.send_changelog(message.partition, message.key, self._row)
            if self._target is not None:
                await written
                await (await self._target.send(key=message.key, value=self._output))
            self.done += 1


def build(config: BareConfig) -> tuple[Any, Callable[[], int]]:
    """The Faust app, and how many events it has done."""
    app = faust.App(
        config.group,
        broker=f"kafka://{config.bootstrap}",
        topic_partitions=config.partitions,
        topic_disable_leader=True,
        topic_allow_declare=False,
        producer_acks=-1,
        producer_compression_type="zstd",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        store="memory://",
        datadir=f"/tmp/{config.group}.faust",
    )
    work = BareWork(config, app)
    app.agent(app.topic(config.source, **RAW), name="bare")(work.run)

    @app.task  # type: ignore[untyped-decorator]
    async def say() -> None:
        while True:
            line = {"events": work.done, "cpu": time.process_time(), "at": time.monotonic()}
            print(json.dumps(line), flush=True)
            await asyncio.sleep(SAY_EVERY_S)

    return app, lambda: work.done


def main() -> None:
    """Runs until it is told to stop."""
    app, _ = build(BareConfig(**json.loads(Path(sys.argv[1]).read_text())))
    faust.Worker(app, loglevel="warning", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
