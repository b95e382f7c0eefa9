"""One running worker: every event applied once, whatever is in it; each test uses keys of its own."""

from __future__ import annotations

import json

import pytest

from tests.integration.vigilo.adapters.streams.stage import GUARD, NOTES, Stage, Worker, key_in, wait_until
from vigilo.events.partitioner import partition_for


def row_of(stage: Stage, key: str) -> dict[str, object]:
    """The latest row of a key in the changelog."""
    seen = stage.latest_rows()[key.encode()]
    row: dict[str, object] = seen.json()
    return row


def test_every_event_is_answered_once_and_in_order(shared: Stage, worker: Worker) -> None:
    keys = [key_in(number % 4) for number in range(12)]
    for n in range(120):
        shared.tell(keys[n % 12], n=n, loud=True)
    shared.flush()
    shared.until_done()
    for index, key in enumerate(keys):
        answers = shared.of_key("counted", key)
        assert [one.json()["n"] for one in answers] == list(range(index, 120, 12))
        assert [one.json()["count"] for one in answers] == list(range(1, 11))
        assert len({one.header("ce_id") for one in answers}) == 10


def test_rows_are_in_the_partition_of_their_key(shared: Stage, worker: Worker) -> None:
    for partition in range(4):
        for _ in range(5):
            shared.tell(key_in(partition), note="x")
    shared.flush()
    shared.until_done()
    assert all(one.partition == partition_for(one.key or b"", 4) for one in shared.read(GUARD))
    assert all(one.partition == partition_for((one.key or b"")[:36], 4) for one in shared.read(NOTES))


def test_a_row_names_its_input_and_its_last_offsets(shared: Stage, worker: Worker) -> None:
    key = key_in(1)
    shared.tell(key, n=1)
    shared.flush()
    shared.until_done()
    shared.tell(key, topic="told-also", n=2)
    shared.flush()
    shared.until_done()
    row = row_of(shared, key)
    told, also = shared.of_key("told", key)[0], shared.of_key("told-also", key)[0]
    assert row["offsets"] == {"told": told.offset, "told-also": also.offset}
    assert row["state"] == {"count": 2, "history": [f"told/{told.offset}", f"told-also/{also.offset}"], "padding": ""}
    given = row["input"]
    assert isinstance(given, dict)
    assert (given["topic"], given["partition"], given["offset"]) == ("told-also", 1, also.offset)


def test_poison_lands_whole_in_dead_letters_and_the_partition_moves_on(shared: Stage, worker: Worker) -> None:
    good = key_in(2)
    poison = {
        "not-json": (good.encode(), b"{not json", ()),
        "not-utf8": (good.encode(), b'"\xff\xfe"', ()),
        "invalid": (good.encode(), b'{"n": "many"}', ()),
        "wrong-type": (good.encode(), b"{}", (("ce_type", b"vigilo.other.v1"),)),
        "bad-key": (b"Not-A-UUID \xff", b"{}", ()),
        "tombstone": (good.encode(), None, ()),
        "told-to-refuse": (good.encode(), b'{"refuse": true}', ()),
        "processor-error": (good.encode(), b'{"fail": true}', ()),
    }
    before = len(shared.read("dead-letters"))
    for name, (key, value, headers) in poison.items():
        shared.write("told", key, value, [*headers, ("kept", name.encode()), ("raw", b"\xff\x00")], partition=2)
    shared.tell(good, n=7, loud=True)
    shared.flush()
    shared.until_done()
    letters = {one.header("vigilo_dlq_reason"): one for one in shared.read("dead-letters") if one.header("kept")}
    assert len(shared.read("dead-letters")) == before + len(poison)
    for reason, (key, value, headers) in poison.items():
        letter = letters[reason]
        assert (letter.key, letter.value) == (key, value)
        assert letter.headers[7:] == (*headers, ("kept", reason.encode()), ("raw", b"\xff\x00"))
        source = next(one for one in shared.read("told") if one.header("kept") == reason)
        assert letter.header("vigilo_dlq_topic") == "told"
        assert letter.header("vigilo_dlq_partition") == "2"
        assert letter.header("vigilo_dlq_offset") == str(source.offset)
        assert letter.header("vigilo_dlq_service") == "counting"
    assert [one.json()["count"] for one in shared.of_key("counted", good)] == [1]
    assert worker.status()["dead_letters"] >= len(poison)


def test_a_row_or_event_that_is_too_large_is_refused_before_anything_is_written(shared: Stage, worker: Worker) -> None:
    key = key_in(0)
    shared.tell(key, n=1)
    shared.tell(key, n=2, swell=70_000)
    shared.tell(key, n=3, shout=600_000)
    shared.tell(key, n=4, note="y" * 600_000)
    shared.tell(key, n=5, loud=True)
    shared.flush()
    shared.until_done()
    letters = [one for one in shared.read("dead-letters") if one.key == key.encode()]
    reasons = [one.header("vigilo_dlq_reason") for one in letters]
    assert sorted(str(one) for one in reasons) == ["event-too-large", "row-too-large", "row-too-large"]
    assert sorted(one.json()["n"] for one in letters) == [2, 3, 4]
    assert [one.json()["count"] for one in shared.of_key("counted", key)] == [2]
    assert shared.latest_rows(NOTES).get(f"{key}/0".encode()) is None


def test_a_record_in_another_keys_partition_is_refused(shared: Stage, worker: Worker) -> None:
    key = key_in(0)
    shared.write("told", key.encode(), b'{"n": 1, "loud": true}', partition=3)
    shared.tell(key, n=2, loud=True)
    shared.flush()
    shared.until_done()
    letters = [one for one in shared.read("dead-letters") if one.key == key.encode()]
    assert [one.header("vigilo_dlq_reason") for one in letters] == ["wrong-partition"]
    assert [one.json()["n"] for one in shared.of_key("counted", key)] == [2]


def test_a_timer_comes_back_as_an_event_of_the_same_key(shared: Stage, worker: Worker) -> None:
    key, later = key_in(3), key_in(1)
    shared.tell(key, n=1, wake_after_ms=300)
    shared.tell(later, n=1, wake_after_ms=3_600_000)
    shared.flush()
    wait_until(lambda: bool(shared.of_key("counted", key)), "the wakeup did not come")
    shared.until_done()
    (wakeup,) = shared.of_key("counting-wakeups", key)
    assert wakeup.partition == 3
    assert [one.json()["n"] for one in shared.of_key("counted", key)] == [-1]
    assert row_of(shared, key)["next_at"] is None
    assert shared.of_key("counting-wakeups", later) == []
    assert row_of(shared, later)["next_at"] is not None


def test_a_side_row_is_written_when_it_changes_and_seen_by_later_decisions(shared: Stage, worker: Worker) -> None:
    key = key_in(2)
    for note in ("first", "first", "second", None, "", None):
        shared.tell(key, loud=True, **({} if note is None else {"note": note}))
    shared.flush()
    shared.until_done()
    before = [one.json().get("note_before") for one in shared.of_key("counted", key)]
    assert before == [None, "first", "first", "second", "second", None]
    writes = [one for one in shared.read(NOTES) if (one.key or b"").startswith(key.encode())]
    texts = [None if one.value is None else json.loads(one.value)["text"] for one in writes]
    assert texts == ["first", "second", None, None]
    assert row_of(shared, key)["side"] == {}


def test_the_row_of_a_deleted_key_goes_once_its_inputs_are_committed(shared: Stage, worker: Worker) -> None:
    key = key_in(0)
    shared.tell(key, n=1, note="z")
    shared.tell(key, n=2, forget=True, loud=True)
    shared.flush()
    wait_until(lambda: not shared.of_key(GUARD, key) or key.encode() not in shared.latest_rows(), "the row stays")
    shared.until_done()
    rows = [one.value for one in shared.of_key(GUARD, key)]
    assert rows[-1] is None
    assert json.loads(rows[-2] or b"")["state"] is None
    assert [one.json()["count"] for one in shared.of_key("counted", key)] == [2]
    assert not [name for name in shared.latest_rows(NOTES) if name.startswith(key.encode())]


def test_the_status_says_that_all_is_well(shared: Stage, worker: Worker) -> None:
    shared.tell(key_in(0), loud=True)
    shared.flush()
    shared.until_done()
    wait_until(lambda: all(one["committed"] == one["end"] for one in worker.status()["partitions"]), "lag remains")
    status = worker.status()
    assert status["ready"]
    assert status["healthy"]
    assert sorted(status["recovered"]) == [0, 1, 2, 3]
    assert {one["topic"] for one in status["partitions"]} == {"told", "told-also", "counting-wakeups"}
    assert abs(status["clock_skew_s"]) < 5
    assert 0 <= status["heartbeat_age_s"] < 8
    assert status["false_gaps"] == 0


@pytest.mark.slow
def test_sigterm_finishes_and_commits_everything_in_work(shared: Stage, worker: Worker) -> None:
    keys = [key_in(number % 4) for number in range(40)]
    for n in range(2_000):
        shared.tell(keys[n % 40], n=n, loud=n % 4 == 0)
    shared.flush()
    earlier = worker.status()["events_processed"]
    wait_until(lambda: worker.status()["events_processed"] > earlier + 300, "the worker does not work")
    assert worker.stop() == 0
    processed = {
        (one["topic"], one["partition"]): one["processed"] for one in worker.status()["partitions"] if one["processed"]
    }
    committed = {(topic, p): n for topic in ("told", "told-also") for p, n in shared.committed(topic).items()}
    assert {place: committed[place] for place in processed if place[0] != "counting-wakeups"} == {
        place: n for place, n in processed.items() if place[0] != "counting-wakeups"
    }
    applied = sum(
        json.loads(one.value or b"")["state"]["count"]
        for key in keys
        if (one := shared.latest_rows().get(key.encode()))
    )
    assert 300 < applied < 2_000
    successor = shared.start()
    shared.until_done()
    rows = shared.latest_rows()
    assert [json.loads(rows[key.encode()].value or b"")["state"]["count"] for key in keys] == [50] * 40
    answers = [one for one in shared.read("counted") if (one.key or b"").decode() in keys]
    assert len(answers) == len({one.header("ce_id") for one in answers}) == 500
    assert successor.stop() == 0
