"""The same job as the stock worker's, as a Processor on the hardened base.

python -m tests.faults.streams.base_worker CONFIG.json
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from tests.faults.streams import job, kill_points
from tests.faults.streams.job import JobConfig, Journal
from tests.faults.streams.oracle import row_of
from vigilo.adapters.streams.recovery import SeekFirstRecovery
from vigilo.adapters.streams.service import StreamService
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.transport import PositionConsumer
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.ports.processing import Decision, Input


class Work(Event):
    """One event to count; `grow` asks for a row of about that many bytes, `raises` for a failing decision."""

    type_name: ClassVar[str] = "lab-work"
    n: int
    grow: int = 0
    raises: bool = False


class Counted(Event):
    """Said of each event: the count of its key, itself included."""

    type_name: ClassVar[str] = "lab-counted"
    n: int
    count: int


class Row(BaseModel):
    """The row of one key; `by` names the worker that wrote it."""

    count: int
    by: str
    pad: str


class CountEvents:
    """Counts. The journal is the only thing here that is not pure: it is how the lab sees decisions."""

    service = job.SERVICE
    table = job.TABLE
    inputs: Mapping[str, type[Event]] = {job.WORK: Work}
    state_model = Row
    side_models: Mapping[str, type[BaseModel]] = {}
    wakeups_topic: str | None = None

    def __init__(self, name: str, journal: Journal) -> None:
        self._name = name
        self._journal = journal

    def decide(self, state: Row | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime) -> Decision[Row]:
        """One more, and a result that says so. Raises when the event asks for it, against the contract."""
        work = given.event
        assert isinstance(work, Work)
        if work.raises:
            raise RuntimeError("the job cannot do this one")
        record = given.record
        self._journal.note(record.partition, record.offset)
        count = 1 if state is None else state.count + 1
        result = OutgoingEvent(
            topic=job.RESULTS,
            key=(record.key or b"").decode(),
            id=job.result_id(record.partition, record.offset),
            event=Counted(n=work.n, count=count),
            time=at,
        )
        return Decision(Row(count=count, by=self._name, pad=job.padding(work.n, work.grow)), (result,))

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """Never asked for."""
        raise NotImplementedError


def _say_when_seeking() -> None:
    """Logs what stock Faust logs at this moment: the lab waits for it."""
    seek = PositionConsumer.perform_seek

    async def said(consumer: PositionConsumer) -> None:
        logging.info(job.SEEKING)
        await seek(consumer)

    PositionConsumer.perform_seek = said  # type: ignore[assignment,method-assign]


def main() -> None:
    """Runs the worker until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger(SeekFirstRecovery.__module__).setLevel(logging.INFO)
    config = JobConfig.load(sys.argv[1])
    settings = StreamSettings(
        bootstrap=config.bootstrap,
        topic_prefix=config.prefix,
        session_timeout_s=job.SESSION_TIMEOUT_S,
        batch_size=config.batch_size,
    )

    async def answer_signals(service: StreamService[Row]) -> None:
        asyncio.get_running_loop().add_signal_handler(job.SNAPSHOT_SIGNAL, snapshot, service)
        logging.info(job.ANSWERING)

    def snapshot(service: StreamService[Row]) -> None:
        rows = None if service.loop is None else service.loop.guard.rows
        held = [] if rows is None else [row for number in rows.partitions() for row in rows.rows_of(number)]
        counts = {key.decode(): row_of(value)["count"] for key, value in held}
        job.write_snapshot(config.snapshot, counts=counts, assigned=sorted(service.recovered))

    _say_when_seeking()
    if config.die_at:
        kill_points.install(config.die_at)
    processor = CountEvents(config.name, Journal(config.journal))
    StreamService(processor, settings, start_health=answer_signals, output_topics=[job.RESULTS]).run()


if __name__ == "__main__":
    main()
