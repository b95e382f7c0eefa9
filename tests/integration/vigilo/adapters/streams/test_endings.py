"""Whatever this process can no longer vouch for ends it, before anything is committed."""

from __future__ import annotations

import pytest
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.integration.vigilo.adapters.streams.stage import GUARD, Stage, key_in, wait_until


def test_a_lost_changelog_write_ends_the_process_before_the_commit(stage: Stage) -> None:
    stage.create_topics()
    quiet = key_in(0)
    stage.tell(quiet, n=1)
    stage.flush()
    worker = stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    set_topic_config(stage, GUARD, "max.message.bytes", "100")
    # No output: nobody awaits this row's acknowledgement but the commit.
    stage.tell(quiet, n=2)
    stage.flush()
    assert worker.exit_code() == 70
    assert "was not written" in worker.log()
    assert stage.committed("told")[0] == 1
    set_topic_config(stage, GUARD, "max.message.bytes", "1048588")
    stage.workers.clear()
    stage.start(COMMIT_INTERVAL_S="0.2")
    stage.until_done()
    assert stage.latest_rows()[quiet.encode()].json()["state"]["count"] == 2


def test_too_many_dead_letters_stop_the_service_instead_of_draining_the_topic(stage: Stage) -> None:
    stage.create_topics()
    for _ in range(20):
        stage.write("told", key_in(1).encode(), b"rubbish", partition=1)
    stage.flush()
    worker = stage.start(STOP_AFTER="3", COMMIT_INTERVAL_S="0.2")
    assert worker.exit_code() == 70
    assert "3 inputs in a row were refused" in worker.log()
    assert len(stage.read("dead-letters")) == 3


def test_missing_topics_are_waited_for_with_a_line_now_and_then(stage: Stage) -> None:
    stage.create_topics(leave_out=["told", GUARD])
    worker = stage.start()
    wait_until(lambda: worker.log().count("waiting: missing topics") == 2, "it does not say what it waits for")
    assert worker.status()["not_ready"] == ["waiting for topics"]
    assert f"{stage.prefix}{GUARD}, {stage.prefix}told" in worker.log()
    assert worker.log().count("\n") < 10
    stage.create_topic("told")
    stage.create_topic(GUARD, policy="compact")
    worker.until_ready(partitions=range(4))
    assert worker.stop() == 0


def test_a_missing_output_topic_is_waited_for_before_anything_is_decided_for_good(stage: Stage) -> None:
    stage.create_topics(leave_out=["counted"])
    key = key_in(0)
    stage.tell(key, n=1, loud=True)
    stage.flush()
    worker = stage.start(COMMIT_INTERVAL_S="0.2")
    wait_until(lambda: "topic counted is missing" in worker.status().get("not_ready", []), "it does not say so")
    assert stage.read(GUARD) == []
    stage.create_topic("counted")
    stage.until_done()
    assert [one.json()["n"] for one in stage.of_key("counted", key)] == [1]


@pytest.mark.parametrize("phase", ["waiting for topics", "joining the group"])
def test_sigterm_before_the_work_begins_ends_in_peace(stage: Stage, phase: str) -> None:
    stage.create_topics(leave_out=["told"] if phase == "waiting for topics" else [])
    worker = stage.start()
    wait_until(lambda: worker.status().get("phase") == phase, f"it is never {phase}")
    assert worker.stop() == 0


def test_topics_with_differing_partition_counts_are_refused(stage: Stage) -> None:
    stage.create_topics(leave_out=["told-also"])
    stage.create_topic("told-also", partitions=3)
    worker = stage.start()
    assert worker.exit_code() == 70
    assert "must have one partition count" in worker.log()


def set_topic_config(stage: Stage, topic: str, name: str, value: str) -> None:
    """Sets one topic setting."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, stage.prefix + topic, incremental_configs=[entry])
    for future in stage.admin.incremental_alter_configs([resource]).values():
        future.result(timeout=20)
