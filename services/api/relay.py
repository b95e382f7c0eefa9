"""Publishes the outbox of configuration: `python -m services.api.relay`, or a task of the API's own process.

`python -m services.api.relay --republish` writes all configuration again and ends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

from pydantic import Field

from services.api.burial import Burial
from services.api.database_roles import RELAY
from services.api.republishing import republish, republish_some
from vigilo.adapters import logs
from vigilo.adapters.health import CheckResult, Checks, HealthServer
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.outbox import DELIVERY_TIMEOUT, OutboxRelay, OutboxTable
from vigilo.adapters.postgres import DatabaseSettings, connect
from vigilo.adapters.settings import BadSettings, KafkaSettings, Settings, read

logger = logging.getLogger("vigilo.api.relay")

OUTBOX: Final = OutboxTable("config", "outbox", lock=AdvisoryLock.CONFIG_RELAY, channel="vigilo_outbox", role=RELAY)
# A turn takes as long as Kafka may take for a batch; silence beyond that means a stuck relay.
_SILENCE_SECONDS: Final = 30.0
_FAILED = 70  # EX_SOFTWARE: a restart is always right


class RelaySettings(Settings, DatabaseSettings):
    """What the relay needs when it is a process of its own."""

    health_host: str = Field("127.0.0.1", description="Address of /healthz, /readyz and /metrics")
    health_port: int = Field(0, ge=0, le=65535, description="Port of /healthz, /readyz and /metrics; 0: a free one")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")


def relay_for(database_url: str, kafka: KafkaSettings) -> OutboxRelay:
    """The relay of the configuration outbox; `run()` it as a task."""

    async def write_again(keys: Sequence[tuple[str, str]]) -> None:
        async with await connect(database_url, name="vigilo-republish") as connection:
            count = await republish_some(connection, keys)
        logger.warning("lost the relay's lock while publishing: %d records are published again", count)

    return OutboxRelay(
        OUTBOX,
        url=database_url,
        producer=lambda: Producer(kafka, client_id="vigilo-relay", delivery_timeout=DELIVERY_TIMEOUT),
        chore=Burial(),
        lost_batch=write_again,
    )


def relay_check(relay: OutboxRelay) -> CheckResult:
    """A readiness check: leading, or standing by for one that leads; not waiting for Kafka or the database."""
    state = relay.state
    silent = monotonic() - state.last_turn
    details = {"leading": state.leading, "published": state.published}
    if state.trouble is not None:
        return False, {**details, "reason": state.trouble}
    if silent > _SILENCE_SECONDS:
        return False, {**details, "reason": f"no turn for {silent:.0f} s"}
    return True, details


def measure(relay: OutboxRelay, metrics: Metrics) -> None:
    """The relay's figures, read when they are asked for."""
    published = metrics.gauge("vigilo_outbox_published_events", "Events published since this process started.")
    published.set_function(lambda: relay.state.published)
    leading = metrics.gauge("vigilo_outbox_leading", "1 while this process publishes the outbox.")
    leading.set_function(lambda: float(relay.state.leading))


async def serve(settings: RelaySettings, stopping: asyncio.Event) -> None:
    """Runs until `stopping`."""
    metrics = Metrics("relay")
    relay = relay_for(settings.url(), settings.kafka)
    measure(relay, metrics)

    def ready() -> tuple[bool, Mapping[str, object]]:
        return relay_check(relay)

    async with HealthServer(settings.health_port, Checks(ready={"relay": ready}), metrics, host=settings.health_host):
        work = asyncio.create_task(relay.run())
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await end(work)


async def end(work: asyncio.Task[None]) -> None:
    """Cancels the relay and waits for its connections to close; raises what it died of."""
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        return


async def _run(settings: RelaySettings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(settings, stopping)


async def republish_everything(database_url: str) -> Mapping[str, int]:
    """Puts all configuration into the outbox; a running relay publishes it. Returns how many records per topic."""
    async with await connect(database_url, name="vigilo-republish") as connection:
        return await republish(connection)


def main(arguments: Sequence[str]) -> int:
    """Entry point."""
    try:
        settings = read(RelaySettings)
    except BadSettings as error:
        print(f"vigilo relay: {error}", file=sys.stderr)
        return 1
    logs.configure("relay", settings.log_level)
    if list(arguments) == ["--republish"]:
        for topic, count in asyncio.run(republish_everything(settings.url())).items():
            print(f"{topic}: {count}")
        return 0
    try:
        asyncio.run(_run(settings))
    except Exception:
        logger.exception("the relay ends")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
