"""`vigilo regrade`: what another rulebook or trust store would make of the scans there are. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.status import Status

from services.grader.anchors import WorkspaceJudge, private_anchors
from services.grader.regrade import HostChange, Known, Letters, RegradeReport, Regrading, known
from vigilo.adapters.kafka.records import ConsumerBroken
from vigilo.adapters.kafka.replay import Replay
from vigilo.adapters.settings import BadSettings, KafkaSettings, parse_duration, read
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.cards import ReportCard
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.envelope import Event, Record
from vigilo.events.rules import WorkspaceSettings
from vigilo.events.scans import Snapshot
from vigilo.events.text import visible
from vigilo.grading.rulebook import RULEBOOKS, VIGILO_2026, Rulebook, rulebook
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import TrustStores

SNAPSHOTS: Final = "snapshots"
CARDS: Final = "report-cards"
SETTINGS: Final = "workspace-settings"
# A card is appended after its scan was asked for; so much may the clocks of broker and scheduler differ.
_CLOCKS: Final = timedelta(minutes=10)
_SHOWN: Final = 50

_E = TypeVar("_E", bound=Event)

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scans to judge anew, and by what. `host` is a name or an id, lower case; None for all."""

    rulebook: Rulebook
    since: datetime
    host: str | None = None
    trust_bundle: Path | None = None


@app.command()
def regrade(
    book: Annotated[
        str, typer.Option("--rulebook", help=f"The rulebook to judge by: {', '.join(RULEBOOKS)}.")
    ] = VIGILO_2026.name,
    since: Annotated[
        str, typer.Option(help="Scans asked for since then: 36h, 30d, or an instant (2026-11-01T00:00:00Z).")
    ] = "7d",
    trust_bundle: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Public trust anchors to judge by, instead of Mozilla's.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Only this host: its name or its id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Give up after so many seconds.")] = 1800,
) -> None:
    """Say which letters would change under a rulebook or trust store, and why. Writes nothing.

    Every graded scan since then is judged anew, at the instant at which it was judged before.
    """
    try:
        wanted = Wanted(rulebook(book), instant(since, now=datetime.now(UTC)), host and host.lower(), trust_bundle)
        report = replay(read(KafkaSettings), wanted, within=timedelta(seconds=timeout))
    except TimeoutError as error:
        _give_up(f"not read to the end within {timeout:g} s ({error}): --timeout", error)
    except (BadSettings, ConsumerBroken, OSError, ValueError) as error:
        _give_up(str(error), error)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
        return
    for line in page(report):
        typer.echo(line)


def _give_up(words: str, cause: Exception) -> NoReturn:
    typer.echo(f"vigilo regrade: {visible(words, limit=500)}", err=True)
    raise typer.Exit(1) from cause


def _status() -> Status:
    """Where the reading is, on standard error of a terminal; nothing elsewhere."""
    return Console(stderr=True, highlight=False, emoji=False, markup=False).status("reading the workspaces' settings")


def instant(text: str, *, now: datetime) -> datetime:
    """`36h` as so long before `now`, or an ISO 8601 instant, UTC where it names no zone. Raises ValueError."""
    span = parse_duration(text)
    if isinstance(span, timedelta):
        return now - span
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--since: neither a time span (36h, 30d) nor an instant: {visible(text)}") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def replay(kafka: KafkaSettings, wanted: Wanted, *, within: timedelta) -> RegradeReport:
    """Reads the topics and judges. Raises ConsumerBroken, TimeoutError, OSError and ValueError (the trust bundle)."""
    until = datetime.now(UTC)
    with Replay(kafka, (SNAPSHOTS, CARDS, SETTINGS), within=within) as topics, _status() as status:
        reading = _Reading(topics, wanted)
        regrading = Regrading(wanted.rulebook, reading.judges(), since=wanted.since)
        count = topics.partitions(SNAPSHOTS)
        for number in range(count):
            cards = reading.cards(number)
            for read_so_far, snapshot in enumerate(reading.snapshots(number)):
                regrading.take(snapshot, cards.get(snapshot.scan_id))
                if read_so_far % 100 == 0:
                    status.update(f"partition {number + 1} of {count}: {read_so_far} scans")
            regrading.end_partition()
    return regrading.report(until=until, unreadable=reading.unreadable)


def page(report: RegradeReport) -> Iterator[str]:
    """The report for people, line by line."""
    yield f"{report.cards_compared} report cards of {report.hosts_compared} hosts since {report.since:%Y-%m-%d %H:%M}"
    yield f"UTC, judged by {visible(report.rulebook)}: {report.cards_changed} cards and {len(report.changed)} hosts"
    yield "would have another letter. Nothing was written."
    yield from _notes(report)
    if report.hosts_compared:
        yield ""
        yield from _letters("hosts", report.hosts)
        yield from _letters("cards", report.cards)
    for change in report.changed[:_SHOWN]:
        yield ""
        yield from _host(change)
    if len(report.changed) > _SHOWN:
        yield f"\nand {len(report.changed) - _SHOWN} hosts more: --json"


def _notes(report: RegradeReport) -> Iterator[str]:
    if report.without_card:
        yield f"{report.without_card} scans have no report card (yet, or no more) and are left out."
    if report.unreadable:
        yield f"{report.unreadable} records could not be read and are left out."


def _letters(what: str, letters: Letters) -> Iterator[str]:
    yield f"{what:<8}" + "".join(f"{word:>7}" for word in letters.before)
    yield "  before" + "".join(f"{count:>7}" for count in letters.before.values())
    yield "  after " + "".join(f"{count:>7}" for count in letters.after.values())


def _host(change: HostChange) -> Iterator[str]:
    before, after = change.before, change.after
    yield f"{visible(change.hostname)}:{change.port}  {before.grade or 'none'} -> {after.grade or 'none'}"
    yield f"  before: {_decided(before.deciding)} ({visible(before.rulebook)}, {visible(before.trust_store)})"
    yield f"  after:  {_decided(after.deciding)} ({visible(after.rulebook)}, {visible(after.trust_store)})"
    for line in change.evidence:
        yield f"          {visible(line)}"


def _decided(rules: tuple[str, ...]) -> str:
    return visible(", ".join(rules), limit=400) if rules else "no rule lowers it"


class _Judges:
    """The grader's judge for each workspace; those without anchors of their own share one."""

    def __init__(self, stores: TrustStores, settings: Mapping[UUID, WorkspaceSettings]) -> None:
        self._shared = TrustJudge(stores)
        self._settings = settings
        self._made: dict[UUID, TrustJudge] = {}

    def __call__(self, workspace_id: UUID) -> TrustJudge:
        """The judge of that workspace."""
        own = self._settings.get(workspace_id)
        if own is None or not own.private_roots:
            return self._shared
        if workspace_id not in self._made:
            self._made[workspace_id] = WorkspaceJudge(self._shared, private_anchors(own.private_roots))
        return self._made[workspace_id]


class _Reading:
    """Records as events; those that cannot be read are counted."""

    def __init__(self, topics: Replay, wanted: Wanted) -> None:
        self.unreadable = 0
        self._topics = topics
        self._wanted = wanted

    def judges(self) -> _Judges:
        """Judges by the anchors that the workspaces have now."""
        settings: dict[UUID, WorkspaceSettings] = {}
        for number in range(self._topics.partitions(SETTINGS)):
            for record in self._topics.records(SETTINGS, number):
                one = self._decoded(record, WorkspaceSettings)
                if one is not None and (
                    one.workspace_id not in settings or settings[one.workspace_id].version < one.version
                ):
                    settings[one.workspace_id] = one
        return _Judges(load_trust_stores(self._wanted.trust_bundle), settings)

    def cards(self, partition: int) -> dict[UUID, Known]:
        """What is known of the cards of this partition, by scan."""
        found: dict[UUID, Known] = {}
        for record in self._topics.records(CARDS, partition, since=self._wanted.since - _CLOCKS):
            card = self._decoded(record, ReportCard) if self._is_wanted(record) else None
            if card is not None:
                found[card.scan_id] = known(card)
        return found

    def snapshots(self, partition: int) -> Iterator[Snapshot]:
        """The snapshots of this partition; of those before the period only the ones that carry a chain."""
        for record in self._topics.records(SNAPSHOTS, partition):
            if not self._is_wanted(record) or not self._is_of_use(record):
                continue
            snapshot = self._decoded(record, Snapshot)
            if snapshot is not None and self._is_of_host(snapshot):
                yield snapshot

    def _decoded(self, record: Record, model: type[_E]) -> _E | None:
        if record.value is None:
            return None
        try:
            return decode(record, model)
        except UndecodableRecord:
            self.unreadable += 1
            return None

    def _is_wanted(self, record: Record) -> bool:
        host = self._wanted.host
        return host is None or host.encode() in (record.key or b"") + (record.value or b"")

    def _is_of_use(self, record: Record) -> bool:
        recent = record.timestamp_ms >= (self._wanted.since - _CLOCKS).timestamp() * 1000
        return recent or b'"chain_der":' in (record.value or b"")

    def _is_of_host(self, snapshot: Snapshot) -> bool:
        return self._wanted.host in {None, snapshot.target.hostname, str(snapshot.host_id)}
