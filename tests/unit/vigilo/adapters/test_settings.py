"""Settings come from the environment or from files, and every mistake names its variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from vigilo.adapters.settings import (
    MASK,
    BadSettings,
    CommaSeparated,
    Duration,
    KafkaSettings,
    Settings,
    listed,
    masked,
    read,
)


class ExampleSettings(Settings):
    """A service's settings as its author would write them."""

    parallel: int = Field(64, ge=1)
    token: SecretStr | None = None
    patience: Duration = timedelta(seconds=4)
    allow: CommaSeparated = ()
    weights: dict[str, int] = Field(default_factory=dict)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("VIGILO_"):
            monkeypatch.delenv(name)


def test_defaults_are_those_of_the_design() -> None:
    settings = read(ExampleSettings)
    assert settings.history == timedelta(days=400)
    assert settings.kafka.topic_prefix == "vigilo-"
    assert settings.kafka.host_partitions == 12
    assert settings.kafka.replication == 1


def test_environment_wins_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_PARALLEL", "3")
    monkeypatch.setenv("VIGILO_KAFKA_REPLICATION", "3")
    monkeypatch.setenv("VIGILO_HISTORY", "90d")
    settings = read(ExampleSettings)
    assert (settings.parallel, settings.kafka.replication, settings.history) == (3, 3, timedelta(days=90))


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_PARALLEL", "")
    assert read(ExampleSettings).parallel == 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", timedelta(seconds=30)), ("1.5h", timedelta(minutes=90)), ("P2D", timedelta(days=2))],
)
def test_durations_are_read_in_words_of_people(monkeypatch: pytest.MonkeyPatch, text: str, expected: timedelta) -> None:
    monkeypatch.setenv("VIGILO_PATIENCE", text)
    assert read(ExampleSettings).patience == expected


def test_file_variant_is_read_without_its_last_newline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("open sesame \n")
    monkeypatch.setenv("VIGILO_TOKEN_FILE", str(secret))
    token = read(ExampleSettings).token
    assert token is not None
    assert token.get_secret_value() == "open sesame "


def test_file_variant_works_for_kafka_and_for_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "n").write_text("7\n")
    monkeypatch.setenv("VIGILO_KAFKA_HOST_PARTITIONS_FILE", str(tmp_path / "n"))
    assert read(ExampleSettings).kafka.host_partitions == 7


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_ALLOW", "10.0.0.0/8, 192.168.0.0/16,")
    assert read(ExampleSettings).allow == ("10.0.0.0/8", "192.168.0.0/16")


def test_broken_json_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_WEIGHTS", "{")
    with pytest.raises(BadSettings, match="VIGILO_WEIGHTS: not JSON"):
        read(ExampleSettings)


def test_missing_file_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIGILO_TOKEN_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(BadSettings, match=r"VIGILO_TOKEN_FILE: cannot read .*nowhere"):
        read(ExampleSettings)


def test_value_and_file_together_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIGILO_TOKEN", "a")
    monkeypatch.setenv("VIGILO_TOKEN_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(BadSettings, match="VIGILO_TOKEN and VIGILO_TOKEN_FILE are both set"):
        read(ExampleSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VIGILO_PARALLEL", "0"),
        ("VIGILO_PARALLEL", "many"),
        ("VIGILO_HISTORY", "3h"),
        ("VIGILO_HISTORY", "long"),
        ("VIGILO_KAFKA_REPLICATION", "0"),
        ("VIGILO_KAFKA_BOOTSTRAP", "kafka"),
        ("VIGILO_KAFKA_BOOTSTRAP", "http://kafka:9092"),
        ("VIGILO_KAFKA_TOPIC_PREFIX", "Bad.Prefix"),
        ("VIGILO_KAFKA_SECURITY_PROTOCOL", "TLS"),
    ],
)
def test_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettings, match=f"^{variable}: "):
        read(ExampleSettings)


def test_incoherent_security_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_SECURITY_PROTOCOL", "sasl_ssl")
    with pytest.raises(BadSettings, match=r"^VIGILO_KAFKA_SASL_MECHANISM is missing"):
        read(ExampleSettings)


def test_a_wrong_secret_is_never_repeated_in_the_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_SASL_PASSWORD", "hunter2")
    with pytest.raises(BadSettings) as raised:
        read(ExampleSettings)
    assert "VIGILO_KAFKA_SASL_PASSWORD is set" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in repr(raised.value.__cause__)


def test_listing_shows_sources_and_masks_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame")
    monkeypatch.setenv("VIGILO_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("VIGILO_PARALLEL", "9")
    rows = {row.variable: row for row in listed(read(ExampleSettings))}
    assert (rows["VIGILO_TOKEN"].value, rows["VIGILO_TOKEN"].source) == (MASK, "file")
    assert (rows["VIGILO_PARALLEL"].value, rows["VIGILO_PARALLEL"].source) == ("9", "environment")
    assert (rows["VIGILO_HISTORY"].value, rows["VIGILO_HISTORY"].source) == ("400d", "default")
    assert rows["VIGILO_KAFKA_SASL_PASSWORD"].value == ""
    assert "sesame" not in repr(rows)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SecretStr("x"), MASK),
        (SecretStr(""), ""),
        ("postgresql://api:pw@127.0.0.1/vigilo", f"postgresql://api:{MASK}@127.0.0.1/vigilo"),
        ("http://127.0.0.1:8080/a@b", "http://127.0.0.1:8080/a@b"),
        (timedelta(minutes=15), "15m"),
        (("a", "b"), "a,b"),
        (None, ""),
    ],
)
def test_values_are_masked_for_people(value: object, expected: str) -> None:
    assert masked(value) == expected


def test_names_of_topics_and_groups() -> None:
    kafka = KafkaSettings(topic_prefix="acme-")
    assert kafka.physical("hosts") == "acme-hosts"
    assert kafka.logical("acme-hosts") == "hosts"
    assert kafka.group("scanner") == "acme-scanner"
    with pytest.raises(ValueError, match="does not begin with"):
        kafka.logical("other-hosts")
