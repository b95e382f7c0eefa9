"""A notifier told to stop."""

from __future__ import annotations

import asyncio
import logging

import pytest

from services.notifier.app import serve
from services.notifier.settings import NotifierSettings
from vigilo.adapters.secrets import new_key
from vigilo.adapters.settings import KafkaSettings

pytestmark = pytest.mark.kafka


async def test_it_stops_while_it_waits_for_its_topics(
    kafka_bootstrap: str, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = NotifierSettings(
        database_url="postgresql://nobody@127.0.0.1:9/none",
        secret_keys=new_key("one"),
        kafka=KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix),
    )
    stopping = asyncio.Event()
    with caplog.at_level(logging.WARNING):
        running = asyncio.create_task(serve(settings, stopping))
        async with asyncio.timeout(20):
            while "waiting for topics" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
        assert not running.done()
        stopping.set()
        await asyncio.wait_for(running, 10)
