"""Names, limits and security of a stream service."""

from __future__ import annotations

import ssl

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from vigilo.adapters.settings import KafkaSettings
from vigilo.adapters.streams.app import credentials
from vigilo.adapters.streams.outlet import clock_skew
from vigilo.adapters.streams.settings import StreamSettings, changelog_topic
from vigilo.adapters.streams.topics import TopicFacts, UnfitTopics, shared_partition_count


def test_names_follow_from_the_prefix() -> None:
    settings = StreamSettings(bootstrap="b:1", topic_prefix="x-")
    assert settings.physical("told") == "x-told"
    assert settings.logical("x-told") == "told"
    assert settings.group("grader") == "x-grader"
    assert settings.source_of("grader") == "vigilo/grader"
    assert changelog_topic("grader", "chains") == "grader-chains-changelog"


def test_settings_follow_from_the_installations_kafka() -> None:
    kafka = KafkaSettings(bootstrap="b:1", topic_prefix="x-", group_prefix="g-", host_partitions=6)
    settings = StreamSettings.of(kafka, source="s")
    assert (settings.bootstrap, settings.group("a"), settings.host_partitions) == ("b:1", "g-a", 6)
    assert settings.source_of("a") == "s"
    assert credentials(settings) is None


def test_a_heartbeat_that_fits_less_than_three_times_into_a_session_is_refused() -> None:
    with pytest.raises(ValueError, match="third"):
        StreamSettings(bootstrap="b:1", session_timeout_s=6, heartbeat_s=3)


def test_tls_and_sasl_reach_faust() -> None:
    context = ssl.create_default_context()
    encrypted = StreamSettings(bootstrap="b:1", aiokafka_security={"security_protocol": "SSL", "ssl_context": context})
    found = credentials(encrypted)
    assert isinstance(found, SSLCredentials)
    assert found.context is context


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_scram_reaches_faust(protocol: str) -> None:
    context = ssl.create_default_context() if protocol == "SASL_SSL" else None
    security = {
        "security_protocol": protocol,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
        "ssl_context": context,
    }
    found = credentials(StreamSettings(bootstrap="b:1", aiokafka_security=security))
    assert isinstance(found, SASLCredentials)
    assert (found.username, found.password, found.mechanism.value) == ("u", "p", "SCRAM-SHA-512")
    assert found.protocol.value == protocol


def test_co_partitioned_topics_must_agree() -> None:
    facts = {"a": TopicFacts(12, False), "b": TopicFacts(12, True), "c": TopicFacts(3, False)}
    assert shared_partition_count(facts, names=["a", "b"], expected=12) == 12
    with pytest.raises(UnfitTopics, match="one partition count"):
        shared_partition_count(facts, names=["a", "c"], expected=None)
    with pytest.raises(UnfitTopics, match="the settings say 6"):
        shared_partition_count(facts, names=["a"], expected=6)


@pytest.mark.parametrize(("appended_at", "skew"), [(10.5, 0.0), (10.0, 0.0), (11.0, 0.0), (51.0, 40.0), (-30.0, -40.0)])
def test_the_skew_is_how_far_the_append_time_lies_outside_the_records_journey(appended_at: float, skew: float) -> None:
    assert clock_skew(appended_at, sent_at=10.0, acknowledged_at=11.0) == skew
