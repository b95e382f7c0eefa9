"""A topic row that is wrong is refused with the file and the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from vigilo.adapters.kafka.topic_rows import SCHEMAS, BadTopicRow, load_row, load_rows
from vigilo.adapters.kafka.topics import wanted_topics
from vigilo.events.topics import BadPoolName

HISTORY = timedelta(days=400)


def row_of(topic: str) -> dict[str, Any]:
    """A good row, as its file has it."""
    loaded: dict[str, Any] = yaml.safe_load((SCHEMAS / "topics" / f"{topic}.yaml").read_text())
    return loaded


def written(folder: Path, row: Mapping[str, Any], name: str | None = None) -> Path:
    path = folder / f"{name or row['topic']}.yaml"
    path.write_text(yaml.safe_dump(dict(row)))
    return path


def without(row: dict[str, Any], *path: str) -> dict[str, Any]:
    """The row without one of its fields."""
    inner = row
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return row


def test_the_rows_as_they_are_are_good(tmp_path: Path) -> None:
    for topic in ("hosts", "alerter-alerts-changelog", "dead-letters"):
        assert load_row(written(tmp_path, row_of(topic))).topic == topic


ROW_ERRORS = [
    ("hosts", {"topic": "Hosts"}, "topic: "),
    ("hosts", {"topic": "h.osts"}, "topic: "),
    ("hosts", {"description": "short"}, "description: "),
    ("hosts", {"key": "host"}, "key: "),
    ("hosts", {"key": "rule_id"}, "partitions: host-keyed exactly when the key is host_id"),
    ("alert-rules", {"key": "channel_id"}, "key: alert-rule has no field channel_id"),
    ("hosts", {"colour": "red"}, "colour: Extra inputs are not permitted"),
    ("hosts", {"event": {"type": "hoost", "versions": [1]}}, "event.type: the registered model is host"),
    ("hosts", {"event": {"type": "host", "versions": [1, 2]}}, "event.versions: expected 1 to 1"),
    ("hosts", {"event": {"type": "host", "versions": []}}, "event.versions: "),
    ("hosts", {"event": {"type": "host", "versions": [1], "mode": "none"}}, "event.mode: Extra inputs"),
    ("hosts", {"event": None}, "event: give exactly one of event and table"),
    ("hosts", {"table": {"service": "api", "name": "hosts", "role": "guard"}}, "event: give exactly one"),
    ("hosts", {"cleanup": "compact,delete"}, "cleanup: "),
    ("hosts", {"retention": "7d"}, "retention: a compacted topic keeps the last record of every key"),
    ("host-commands", {"retention": "10m"}, "retention: at least one hour"),
    ("host-commands", {"retention": "always"}, "retention"),
    ("hosts", {"partitions": 12}, "partitions: host-keyed exactly when"),
    ("alert-rules", {"partitions": "host-keyed"}, "partitions: host-keyed exactly when"),
    ("deliveries", {"partitions": 0}, "partitions"),
    ("deliveries", {"partitions": 1}, "partitions"),
    ("deliveries", {"partitions": "many"}, "partitions"),
    ("hosts", {"per_pool": True}, "per_pool: only scan requests"),
    ("hosts", {"producers": ["apii"]}, "producers.0: "),
    ("hosts", {"producers": []}, "producers: "),
    ("hosts", {"consumers": []}, "consumers: "),
    ("dead-letters", {"event": {"type": "host", "versions": [1]}}, "event: dead-letters carries records as received"),
    ("alerter-alerts-changelog", {"producers": ["api"]}, "producers: only the table's own service"),
    ("alerter-alerts-changelog", {"consumers": ["alerter", "outside"]}, "producers: only the table's own service"),
    ("alerter-alerts-changelog", {"cleanup": "delete"}, "cleanup: a changelog is compacted"),
    (
        "alerter-alerts-changelog",
        {"table": {"service": "grader", "name": "alerts", "role": "guard"}},
        "topic: the changelog of this table is named grader-alerts-changelog",
    ),
]

CONFIG_ERRORS: list[tuple[str, str, object, str]] = [
    ("hosts", "message.timestamp.type", "CreateTime", "LogAppendTime"),
    ("hosts", "message.timestamp.type", None, "LogAppendTime"),
    ("hosts", "max.message.bytes", 1_000_000, "expected 1048576"),
    ("hosts", "max.message.bytes", None, "expected 1048576"),
    ("dead-letters", "max.message.bytes", 1_048_576, "expected 2097152"),
    ("hosts", "retention.ms", 1, "not a setting that rows may make"),
    ("hosts", "cleanup.policy", "delete", "not a setting that rows may make"),
    ("hosts", "segement.ms", 1, "not a setting that rows may make"),
    ("host-commands", "delete.retention.ms", 1, "only compacted topics have tombstones"),
    ("grader-chains-changelog", "segment.bytes", 1_073_741_824, "a changelog has 33554432"),
    ("grader-chains-changelog", "segment.ms", None, "a changelog has 3600000"),
    ("grader-chains-changelog", "min.cleanable.dirty.ratio", 0.5, "a changelog has 0.1"),
    ("grader-chains-changelog", "max.compaction.lag.ms", None, "a changelog has 3600000"),
]


@pytest.mark.parametrize(("topic", "change", "complaint"), ROW_ERRORS)
def test_a_bad_field_is_named(tmp_path: Path, topic: str, change: dict[str, Any], complaint: str) -> None:
    path = written(tmp_path, {**row_of(topic), **change}, name=topic)
    with pytest.raises(BadTopicRow) as raised:
        load_row(path)
    assert any(line.startswith(f"{topic}.yaml: {complaint}") for line in str(raised.value).splitlines()), raised.value


@pytest.mark.parametrize(("topic", "setting", "value", "complaint"), CONFIG_ERRORS)
def test_a_bad_setting_is_named(tmp_path: Path, topic: str, setting: str, value: object, complaint: str) -> None:
    row = row_of(topic)
    row["config"] = {name: old for name, old in row["config"].items() if name != setting}
    if value is not None:
        row["config"][setting] = value
    with pytest.raises(BadTopicRow) as raised:
        load_row(written(tmp_path, row))
    assert f"{topic}.yaml: config.{setting}: " in str(raised.value)
    assert complaint in str(raised.value)


@pytest.mark.parametrize("field", ["topic", "description", "key", "cleanup", "retention", "partitions", "config"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    with pytest.raises(BadTopicRow, match=f"hosts.yaml: {field}: Field required"):
        load_row(written(tmp_path, without(row_of("hosts"), field), name="hosts"))


def test_a_row_in_another_rows_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTopicRow, match=r"alerts.yaml: topic: hosts belongs into hosts.yaml"):
        load_row(written(tmp_path, row_of("hosts"), name="alerts"))


def test_a_topic_no_model_is_registered_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTopicRow, match=r"news.yaml: topic: no event model is registered"):
        load_row(written(tmp_path, {**row_of("hosts"), "topic": "news"}))


def test_what_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("topic: [")
    with pytest.raises(BadTopicRow, match=r"hosts.yaml: not YAML"):
        load_row(tmp_path / "hosts.yaml")


def everything(folder: Path) -> Path:
    """All rows, copied."""
    for path in (SCHEMAS / "topics").glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    return folder


def test_a_missing_row_is_named(tmp_path: Path) -> None:
    (everything(tmp_path) / "snapshots.yaml").unlink()
    with pytest.raises(BadTopicRow, match=r"snapshots.yaml: topic: missing"):
        load_rows(tmp_path)


def test_dead_letters_must_outlive_what_they_come_from(tmp_path: Path) -> None:
    written(everything(tmp_path), {**row_of("dead-letters"), "retention": "7d"})
    with pytest.raises(BadTopicRow, match=r"dead-letters.yaml: retention: must be longer than the 7 days"):
        load_rows(tmp_path)


def test_dead_letters_must_be_there(tmp_path: Path) -> None:
    (everything(tmp_path) / "dead-letters.yaml").unlink()
    with pytest.raises(BadTopicRow, match=r"dead-letters.yaml: topic: missing"):
        load_rows(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadTopicRow, match="no topic rows here"):
        load_rows(tmp_path)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    everything(tmp_path)
    written(tmp_path, {**row_of("hosts"), "key": "x", "cleanup": "y"})
    written(tmp_path, {**row_of("alerts"), "partitions": 3})
    with pytest.raises(BadTopicRow) as raised:
        load_rows(tmp_path)
    for part in ("hosts.yaml: key", "hosts.yaml: cleanup", "alerts.yaml: partitions"):
        assert part in str(raised.value)


def test_settings_of_a_topic_in_kafka() -> None:
    rows = load_rows()
    assert rows["snapshots"].kafka_config(timedelta(days=90))["retention.ms"] == str(90 * 86_400_000)
    assert rows["alerts"].kafka_config(HISTORY)["retention.ms"] == "-1"
    assert rows["dead-letters"].kafka_config(HISTORY)["retention.ms"] == str(30 * 86_400_000)
    assert rows["hosts"].kafka_config(HISTORY)["cleanup.policy"] == "compact"
    assert rows["grader-grades-changelog"].kafka_config(HISTORY)["min.cleanable.dirty.ratio"] == "0.1"


def test_partitions_follow_the_installation_only_where_keys_are_hosts() -> None:
    wanted = {
        topic.name: topic.partitions
        for topic in wanted_topics(load_rows().values(), host_partitions=5, history=HISTORY)
    }
    assert wanted["hosts"] == wanted["snapshots"] == wanted["alerter-facts-changelog"] == 5
    assert wanted["alert-rules"] == wanted["snoozes"] == wanted["dead-letters"] == 1
    assert wanted["scan-requested"] == 12


def test_a_pool_name_that_would_be_another_pools_fast_lane_is_refused() -> None:
    with pytest.raises(BadPoolName):
        wanted_topics(load_rows().values(), host_partitions=5, history=HISTORY, pools=["now-dc1"])
