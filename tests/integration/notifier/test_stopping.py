"""A notifier told to stop, as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.streams.waiting import wait_until
from vigilo.adapters.secrets import new_key

pytestmark = pytest.mark.kafka


def test_it_stops_while_it_waits_for_its_topics(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VIGILO_")},
        "VIGILO_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "VIGILO_KAFKA_TOPIC_PREFIX": topic_prefix,
        "VIGILO_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "VIGILO_SECRET_KEYS": new_key("one"),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.notifier.app"], env=environment, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: "waiting for topics" in log.read_text(), seconds=30, what="a notifier without topics")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait(10)
