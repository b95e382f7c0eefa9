"""The read model as text, to be compared; and a way to fill it without Kafka."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from services.api.projector.admission import Admitted
from services.api.projector.projections import rows_of
from services.api.projector.run import Projection
from services.api.projector.store import Store
from services.api.projector.tables import statement
from vigilo.adapters.kafka.records import Partition
from vigilo.events.alerts import AlertTransition
from vigilo.events.deliveries import Delivery
from vigilo.events.envelope import EncodedEvent, Record

Logs = Mapping[tuple[str, int], list[Record]]


class Crash(Exception):
    """The projector dies here."""


def table_names(connection: psycopg.Connection, schema: str = "read_model") -> list[str]:
    """The tables of the read model, partitions left out."""
    rows = connection.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'p') "
        "and not relispartition order by relname",
        (schema,),
    ).fetchall()
    return [row[0] for row in rows]


def dumped(connection: psycopg.Connection, schema: str = "read_model") -> dict[str, list[str]]:
    """Every row of every table as text, in one order."""
    return {
        name: [
            row[0]
            for row in connection.execute(
                sql.SQL("select t::text from {} t order by 1").format(sql.Identifier(schema, name))
            )
        ]
        for name in table_names(connection, schema)
    }


def emptied(connection: psycopg.Connection) -> None:
    """No rows and no partitions by month are left."""
    names = [sql.Identifier("read_model", name) for name in table_names(connection)]
    connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(names)))


class Letters:
    """Dead letters, kept."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def send(self, events: Sequence[EncodedEvent]) -> None:
        """As the producer's send_all."""
        for event in events:
            self.reasons.append(next(value for name, value in event.headers if name == "vigilo_dlq_reason").decode())


def counts_of(logs: Logs, partitions: int) -> dict[str, int]:
    """Partition counts of the topics in the logs."""
    return dict.fromkeys({topic for topic, _ in logs}, partitions)


async def replayed(url: str, logs: Logs, *, partitions: int, letters: Letters | None = None, size: int = 1) -> None:
    """Topic after topic, partition after partition, `size` records at a time, nothing goes wrong."""
    with_store = Store(url, role="vigilo_projector")
    try:
        positions = with_store.positions([Partition(*one) for one in logs])
        send = (letters or Letters()).send
        projection = Projection(with_store, positions, partitions=counts_of(logs, partitions), send=send)
        for one in sorted(logs):
            for begin in range(0, len(logs[one]), size):
                await projection.project(logs[one][begin : begin + size])
    finally:
        with_store.close()


async def interleaved(url: str, logs: Logs, *, partitions: int, seed: int) -> None:
    """Random pieces of random partitions in random batches; now and then the projector dies before its commit."""
    chance = random.Random(seed)
    store = Store(url, role="vigilo_projector")
    try:
        everything = [Partition(*one) for one in logs]
        positions = store.positions(everything)
        while any(positions[one] < len(logs[one]) for one in everything):
            batch = _batch(logs, positions, chance)
            dies = chance.random() < 0.2
            projection = Projection(
                store, dict(positions), partitions=counts_of(logs, partitions), send=_dying if dies else Letters().send
            )
            try:
                await projection.project(batch)
            except Crash:
                store.close()
                store = Store(url, role="vigilo_projector")
            positions = store.positions(everything)
    finally:
        store.close()


async def _dying(_: Sequence[EncodedEvent]) -> None:
    raise Crash


def _batch(logs: Logs, positions: Mapping[Partition, int], chance: random.Random) -> list[Record]:
    waiting = {one: logs[one][positions[one] :] for one in positions if positions[one] < len(logs[one])}
    pieces = [(one, _cut(waiting[one], chance)[0]) for one in waiting if waiting[one]]
    chosen = chance.sample(pieces, chance.randint(1, len(pieces)))
    queues = [list(piece) for _, piece in chosen]
    batch: list[Record] = []
    while queues:
        queue = chance.choice(queues)
        batch.append(queue.pop(0))
        queues = [one for one in queues if one]
    return batch


def put(admin_url: str, *events: AlertTransition | Delivery) -> None:
    """Their rows, as the projector would write them; no log stands behind them."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for offset, event in enumerate(events):
            record = Record("alerts", 0, offset, 0, None, None, ())
            for table, row in rows_of(Admitted(record, UUID(int=0), event)):
                connection.execute(sql.SQL("set search_path to read_model"))
                connection.execute(statement(table), (orjson.dumps([row]).decode(),))


def _cut(records: list[Record], chance: random.Random) -> list[list[Record]]:
    """The records, in order, in random pieces."""
    places = sorted({0, len(records), *(chance.randrange(len(records) + 1) for _ in range(len(records) // 7 + 1))})
    return [records[begin:end] for begin, end in pairwise(places)]
