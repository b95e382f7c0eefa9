"""Batches as a running worker makes them: one event at a time if that is asked for, else what is there by then."""

from __future__ import annotations

import json

import pytest

from tests.integration.vigilo.adapters.streams.stage import GUARD, NOTES, Stage, key_in


@pytest.mark.parametrize(
    "size", [pytest.param(1, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.slow), 200]
)
def test_a_backlog_is_worked_off_in_batches_of_at_most_that_size(stage: Stage, size: int) -> None:
    stage.create_topics()
    keys = [key_in(number % 4) for number in range(100)]
    for n in range(4):
        for key in keys:
            stage.tell(key, n=n, loud=True, note=f"note {n}")
    poisoned = key_in(0)
    stage.write("told", poisoned.encode(), b"rubbish", partition=0)
    stage.tell(poisoned, refuse=True)
    stage.flush()
    worker = stage.start(COMMIT_INTERVAL_S="0.2", BATCH_SIZE=str(size))
    stage.until_done()
    seen = [one.json().get("note_before") for one in stage.of_key("counted", keys[0])]
    assert seen == [None, "note 0", "note 1", "note 2"]
    answers = stage.read("counted")
    assert len(answers) == len({one.header("ce_id") for one in answers}) == 400
    rows = stage.latest_rows()
    assert [json.loads(rows[key.encode()].value or b"")["state"]["count"] for key in keys] == [4] * 100
    assert len(stage.latest_rows(NOTES)) == 100
    assert len(stage.read("dead-letters")) == 2
    assert len(stage.read(GUARD)) == 400
    assert worker.stop() == 0
    status = worker.status()
    assert (status["events_processed"], status["dead_letters"]) == (402, 2)
    assert {one["processed"] == one["end"] == (one["committed"] or 0) for one in status["partitions"]} == {True}
    assert status["batches"] == 402 if size == 1 else 402 / size <= status["batches"] < 200
