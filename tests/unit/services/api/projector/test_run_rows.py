"""Runs as rows: what a row keeps, and that many read at once are what each is read alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given, settings

from services.api.projector.runs import Reading, row_of, run_of
from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.vigilo.alerting.courses import courses, runs_of
from vigilo.alerting.runs import CardRun
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.scans import Outcome

HOUR = timedelta(hours=1)
OTHER = UUID("0190a000-0000-7000-8000-0000000000ee")


def stored(run: CardRun, *, textual: bool) -> dict[str, Any]:
    """The row as PostgreSQL gives it back; `textual`: its jsonb columns as text."""
    row = row_of(run) | {"early": list(run.early), "moved": list(run.moved)}
    for name in ("peer", "known", "course"):
        text = orjson.dumps(row[name])
        row[name] = text.decode() if textual else orjson.loads(text)
    return row


@settings(max_examples=30, deadline=None)
@given(courses)
def test_a_row_keeps_the_whole_run_however_it_is_read(cards: list[ReportCard]) -> None:
    runs, reading = runs_of(cards), Reading()
    assert [run_of(stored(run, textual=False)) for run in runs] == runs
    assert [reading.run(stored(run, textual=True)) for run in runs] == runs


def test_what_a_host_comes_back_to_is_read_once_and_never_shared_with_another() -> None:
    well: dict[str, Any] = {"not_after": NOON + timedelta(days=60)}
    gone: dict[str, Any] = {"outcome": Outcome.REFUSED}
    said = [well, gone, gone, well, {**well, "grade": Grade.B}, well]
    runs = runs_of([inputs.card(requested_at=NOON + n * HOUR, **one) for n, one in enumerate(said)])
    reading = Reading()
    read = [reading.run(stored(run, textual=True)) for run in runs]
    assert len(read) == 5
    assert read[0].known is read[2].known is read[4].known and read[0].known is not read[3].known
    other = reading.run(stored(runs[0].model_copy(update={"host_id": OTHER}), textual=True))
    assert (other.host_id, other.known) == (OTHER, runs[0].known)
