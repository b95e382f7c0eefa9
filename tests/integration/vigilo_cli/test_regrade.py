"""`vigilo regrade` on a real broker: some hundred scans judged anew, and nothing written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from typer.testing import CliRunner

from tests.fakes.pki import Authority
from tests.fakes.snapshots import WORKSPACE, snapshot
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.replay import Replay
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events import ids
from vigilo.events.cards import ReportCard
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.rules import WorkspaceSettings
from vigilo.events.scans import Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
from vigilo_cli.regrade import app

pytestmark = pytest.mark.kafka

NOW = datetime.now(UTC).replace(microsecond=0)
PUBLIC, OURS = Authority.create("Public"), Authority.create("Ours")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("yesterday", (PUBLIC.root.certificate,))))
LEAVES = {"public.acme.test": PUBLIC.leaf("public.acme.test"), "ours.acme.test": OURS.leaf("ours.acme.test")}
TOPICS = ("snapshots", "report-cards", "workspace-settings")
HOSTS, SCANS = 30, 10


@pytest.fixture
def kafka(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KafkaSettings]:
    """Topics of this test's own, which the command is pointed at; removed afterwards."""
    settings = KafkaSettings(bootstrap=kafka_bootstrap, topic_prefix=topic_prefix, host_partitions=3)
    rows = [load_rows()[topic] for topic in TOPICS]
    apply(settings, wanted_topics(rows, host_partitions=3, history=timedelta(days=400)))
    monkeypatch.setenv("VIGILO_KAFKA_BOOTSTRAP", kafka_bootstrap)
    monkeypatch.setenv("VIGILO_KAFKA_TOPIC_PREFIX", topic_prefix)
    yield settings
    for future in admin_client(settings).delete_topics([settings.physical(topic) for topic in TOPICS]).values():
        future.result(timeout=10)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The public root and none of ours."""
    path = tmp_path / "public.pem"
    path.write_bytes(PUBLIC.root.pem)
    return path


def host_id(number: int) -> UUID:
    return uuid5(WORKSPACE, f"host {number}")


def scans(number: int) -> Iterator[Snapshot]:
    """A host's scans, hourly, the newest now; only the first has the chain's bytes. Even hosts are public."""
    name = list(LEAVES)[number % 2]
    known: tuple[str, ...] = ()
    for turn in range(SCANS):
        at = NOW - timedelta(hours=SCANS - 1 - turn)
        plain = snapshot(LEAVES[name].chain_der, at=at, hostname=name, baseline=known)
        target = plain.target.model_copy(update={"host_id": host_id(number)})
        known = plain.chain_sha256
        yield plain.model_copy(update={"target": target, "scan_id": uuid5(host_id(number), f"scan {turn}")})


def records() -> Iterator[EncodedEvent]:
    """Every snapshot and the card the grader gave it; one scan of each host is still to be graded."""
    for number in range(HOSTS):
        for turn, scan in enumerate(scans(number)):
            yield encoded("snapshots", ids.snapshot_id(scan.scan_id), scan)
            if turn != 4:
                chain = LEAVES[scan.target.hostname].chain_der
                card = grade_snapshot(scan, chain, judge=JUDGE, at=scan.finished_at)
                yield encoded("report-cards", ids.report_card_id(card.scan_id), card)


def encoded(topic: str, event_id: UUID, event: Snapshot | ReportCard) -> EncodedEvent:
    outgoing = OutgoingEvent(topic=topic, key=str(event.host_id), id=event_id, event=event, time=NOW)
    return encode(outgoing, source="test")


def settings_record(version: int, *roots: str) -> EncodedEvent:
    event = WorkspaceSettings(workspace_id=WORKSPACE, version=version, name="Acme", private_roots=roots)
    key = ids.record_id(WORKSPACE, version)
    return encode(OutgoingEvent("workspace-settings", str(WORKSPACE), key, event, NOW), source="test")


def write(kafka: KafkaSettings, *events: EncodedEvent) -> None:
    async def run() -> None:
        async with Producer(kafka, client_id="test") as producer:
            await producer.send_all(events)

    asyncio.run(run())


def ends(kafka: KafkaSettings) -> dict[tuple[str, int], int]:
    """How far each topic goes."""
    with Replay(kafka, TOPICS, within=timedelta(seconds=30)) as topics:
        return {
            (topic, number): sum(1 for _ in topics.records(topic, number))
            for topic in TOPICS
            for number in range(topics.partitions(topic))
        }


def test_a_workspace_that_comes_to_trust_its_own_root_sees_what_it_would_lift(
    kafka: KafkaSettings, bundle: Path
) -> None:
    write(kafka, *records(), settings_record(1), settings_record(2, OURS.root.pem.decode()))
    before = ends(kafka)
    result = CliRunner().invoke(app, ["--since", "30d", "--trust-bundle", str(bundle), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["cards_compared"] == HOSTS * (SCANS - 1)
    assert report["without_card"] == HOSTS
    assert report["hosts_compared"] == HOSTS
    assert {one["hostname"] for one in report["changed"]} == {"ours.acme.test"}
    assert len(report["changed"]) == HOSTS // 2
    assert report["hosts"]["before"]["F"] == HOSTS // 2
    assert report["hosts"]["after"].get("F", 0) == 0
    assert all("rfc5280.chain-validates" in one["before"]["deciding"] for one in report["changed"])
    assert {one["before"]["trust_store"] for one in report["changed"]} == {"yesterday"}
    assert all("public.pem" in one["after"]["trust_store"] for one in report["changed"])
    assert ends(kafka) == before


def test_the_page_says_what_would_change_and_why(kafka: KafkaSettings, bundle: Path) -> None:
    write(kafka, *records())
    other = bundle.with_name("ours.pem")
    other.write_bytes(OURS.root.pem)
    result = CliRunner().invoke(app, ["--since", "30d", "--trust-bundle", str(other), "--host", str(host_id(0))])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    shown = " ".join(result.stdout.split())
    assert f"{SCANS - 1} report cards of 1 hosts" in shown
    assert "1 hosts would have another letter. Nothing was written." in shown
    assert "public.acme.test:443" in shown and "-> F" in shown
    assert "Chain validates: " in shown


def test_a_shorter_period_counts_fewer_scans_and_still_knows_their_chains(kafka: KafkaSettings, bundle: Path) -> None:
    write(kafka, *records())
    arguments = ["--since", "150m", "--trust-bundle", str(bundle), "--host", "public.acme.test", "--json"]
    report = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert report["cards_compared"] == 3 * HOSTS // 2
    assert (report["changed"], report["cards_changed"]) == ([], 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rulebook", "nobodys"], "there is no rulebook 'nobodys': vigilo-2026"),
        (["--since", "yesterday"], "neither a time span"),
        (["--trust-bundle", "/nowhere/at-all.pem"], "No such file"),
    ],
)
def test_wrong_usage_says_what_is_wrong(kafka: KafkaSettings, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert words in result.stderr


def test_without_the_topics_the_command_says_which_is_missing(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_TOPIC_PREFIX", f"{kafka.topic_prefix}none-")
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 1
    assert "workspace-settings" in result.stderr
