"""The faults, one function each: the same for the stock worker and for ours. They only report; the tests judge."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults.streams import job
from tests.faults.streams.lab import Lab
from tests.faults.streams.oracle import Verdict, judge, row_of, rows, settle
from tests.faults.streams.topics import Message
from tests.faults.streams.waiting import wait_until
from tests.faults.streams.workers import Worker
from vigilo.events.partitioner import partition_for

BROKEN = 70
Pause = Callable[[float], None]


def killed_and_restarted(lab: Lab, kind: str, *, count: int, kills: int, pause_broker: Pause | None = None) -> Verdict:
    """SIGKILL in the middle of the work, restart; with `pause_broker` the broker stalls while the worker seeks."""
    lab.send(count)
    worker = lab.start(kind, "one")
    for number in range(kills):
        worker.await_progress(worker.processed() + lab.rng.randint(count // 20, count // 10))
        if number == 0 and pause_broker is not None:
            wait_until(lambda: sum(lab.topics.committed().values()) > 0, seconds=20, what="first commit")
        worker.kill()
        worker.restart()
        if pause_broker is not None:
            worker.await_words(job.SEEKING)
            pause_broker(2.0)
    settle(lab, seconds=60 + count / 400)
    return judge(lab)


@dataclass(frozen=True, slots=True)
class Died:
    """`exits` of the workers that were to die at a point, in order."""

    exits: list[int | None]
    verdict: Verdict


def died_inside_batches(lab: Lab, points: Iterable[str], *, count: int) -> Died:
    """One worker of ours after the other dies at a point inside a batch; the last one does what is left."""
    exits: list[int | None] = []
    for number, point in enumerate(points):
        lab.send(count)
        worker = lab.start("base", f"dies{number}", die_at=point)
        worker.ended(seconds=60)
        exits.append(worker.exit_code)
    lab.send(count)
    lab.start("base", "last")
    settle(lab, seconds=90)
    return Died(exits, judge(lab))


def coming_and_going(lab: Lab, *, count: int, visits: int) -> Verdict:
    """Two workers of ours stay, a third joins and leaves every few seconds, by SIGTERM or SIGKILL; messages flow."""
    for name in ("one", "two"):
        lab.start("base", name)
    visitor = None
    for number in range(visits):
        lab.send(count // visits)
        visitor = lab.start("base", f"visitor{number}")
        time.sleep(lab.rng.uniform(2, 5))
        visitor.signal(lab.rng.choice((signal.SIGTERM, signal.SIGKILL)))
        visitor.stop()
        restart_dead(lab.workers[:2])
    settle_with_a_supervisor(lab, lab.workers[:2])
    return judge(lab)


def settle_with_a_supervisor(lab: Lab, workers: list[Worker], *, seconds: float = 90) -> None:
    """Waits until everything is committed and starts again whoever ends by itself."""
    deadline = time.monotonic() + seconds
    while not settle(lab, seconds=5, quiet=15) and time.monotonic() < deadline:
        restart_dead(workers)


def restart_dead(workers: Iterable[Worker]) -> None:
    """Does a supervisor's work."""
    for worker in workers:
        if not worker.alive:
            worker.restart()


@dataclass(frozen=True, slots=True)
class RefusedWrites:
    """`decided`: events the worker handled. `rows`: changelog records that arrived. `mended`: after the repair."""

    decided: int
    rows: int
    exit_code: int | None
    verdict: Verdict
    mended: Verdict


def changelog_refuses(lab: Lab, kind: str, *, count: int) -> RefusedWrites:
    """The changelog takes no record batch over 2,000 bytes; later the topic is repaired and the worker restarted."""
    lab.topics.configure(job.CHANGELOG, "max.message.bytes", "2000")
    lab.send(count, every=count // 4, extra={"grow": 8000})
    worker = lab.start(kind, "one")
    _await_an_end(lab, worker)
    first = worker.processed(), len(lab.topics.read(job.CHANGELOG)), worker.exit_code, judge(lab)
    lab.topics.configure(job.CHANGELOG, "max.message.bytes", "1048576")
    if not worker.alive:
        worker.restart()
    settle(lab, seconds=60)
    return RefusedWrites(*first, mended=judge(lab))


def rows_elsewhere(lab: Lab, kind: str, *, count: int) -> tuple[int, int]:
    """Works in batches of 50 where the worker can. Returns changelog records, and those in a foreign partition."""
    lab.send(count)
    lab.start(kind, "one", batch=50)
    assert settle(lab, seconds=60)
    records = lab.topics.read(job.CHANGELOG)
    return len(records), sum(partition_for(key_of(record), job.PARTITIONS) != record.partition for record in records)


@dataclass(frozen=True, slots=True)
class PausedWorker:
    """`stale`: changelog records the paused worker wrote after the other one had taken its partitions."""

    ended_itself: bool
    exit_code: int | None
    stale: int
    verdict: Verdict


def paused_while_another_takes_over(lab: Lab, kind: str, *, count: int) -> PausedWorker:
    """SIGSTOP for 13 s in the middle of the work; the second worker has everything by then; SIGCONT."""
    lab.send(count)
    first, second = lab.start(kind, "one", pause_ms=1), lab.start(kind, "two", pause_ms=1)
    wait_until(lambda: first.processed() > 0 and second.processed() > 0, seconds=60, what="both at work")
    wait_until(lambda: _sizes(first, second) == [2, 2], seconds=60, what="two partitions each")
    owned = first.store()[1]
    before = first.processed()
    first.await_progress(before + 200)
    first.signal(signal.SIGSTOP)
    time.sleep(13)
    wait_until(lambda: len(second.store()[1]) == job.PARTITIONS, seconds=20, what="everything in one hand")
    marks = lab.topics.ends(job.CHANGELOG)
    first.signal(signal.SIGCONT)
    ended = first.ended(seconds=5)
    written = [m for m in lab.topics.read(job.CHANGELOG) if m.partition in owned and m.offset >= marks[m.partition]]
    stale = sum(author(record) == "one" for record in written)
    code = first.exit_code
    if ended:
        first.restart()
    settle(lab, seconds=90)
    return PausedWorker(ended, code, stale, judge(lab))


def left_over_keys(lab: Lab, kind: str, *, count: int) -> dict[str, int]:
    """A second worker joins a busy one. Returns per worker the keys it holds of partitions that are not its own."""
    lab.send(count)
    first = lab.start(kind, "one")
    assert settle(lab, seconds=60)
    second = lab.start(kind, "two")
    wait_until(lambda: len(first.store()[1]) == 2, seconds=60, what="the hand-over")
    lab.send(count)
    assert settle(lab, seconds=60)
    return {worker.config.name: _foreign_keys(worker) for worker in (first, second)}


def _foreign_keys(worker: Worker) -> int:
    counts, assigned = worker.store()
    assert counts
    return sum(partition_for(key.encode(), job.PARTITIONS) not in assigned for key in counts)


def joined_in_the_middle_of_recovery(lab: Lab, kind: str, *, count: int, times: int) -> list[int]:
    """A second worker joins while the first still reads its changelogs. Returns wrong rows in memory, per attempt."""
    lab.send(count)
    lab.start(kind, "zero")
    assert settle(lab, seconds=60 + count / 400)
    lab.workers[0].kill()
    wrong: list[int] = []
    for number in range(times):
        wrong.append(_join(lab, kind, number, after=lab.rng.uniform(0, count / 20_000)))
    return wrong


def _join(lab: Lab, kind: str, number: int, *, after: float) -> int:
    first = lab.start(kind, f"first{number}")
    first.await_words(job.RECOVERING)
    time.sleep(after)
    second = lab.start(kind, f"second{number}")
    wait_until(lambda: _sizes(first, second) == [2, 2], seconds=60, what="two partitions each")
    wrong = _wrong_rows(lab, first) + _wrong_rows(lab, second)
    first.kill()
    second.kill()
    return wrong


def _wrong_rows(lab: Lab, worker: Worker) -> int:
    counts, assigned = worker.store()
    mine = {key: count for key, count in rows(lab).items() if partition_for(key.encode(), job.PARTITIONS) in assigned}
    return sum(counts.get(key) != count for key, count in mine.items())


def poison_among_the_work(lab: Lab, kind: str, *, count: int) -> Verdict:
    """Some events make the job raise, some are no JSON at all."""
    lab.send(count // 2, every=count // 6, extra={"raises": True}, poison=True)
    for key in lab.keys[:2]:
        lab.send_raw(key, b"\xff\xfe{ this is no JSON", poison=True)
    lab.send(count // 2)
    lab.start(kind, "one")
    settle(lab, seconds=90, quiet=30)  # stock takes its time before it starts a crashed agent again
    return judge(lab)


@dataclass(frozen=True, slots=True)
class OversizedRow:
    """`deaths`: how often the worker ended by itself over one event."""

    deaths: int
    verdict: Verdict


def row_over_the_limit(lab: Lab, kind: str, *, count: int, restarts: int) -> OversizedRow:
    """One event in the middle asks for a row of 1.2 MB."""
    lab.send(count // 2)
    lab.send_one(lab.keys[0], {"grow": 1_200_000}, poison=True)
    lab.send(count // 2)
    worker, deaths = lab.start(kind, "one"), 0
    for life in range(restarts + 1):
        _await_an_end(lab, worker)
        if worker.alive:
            break
        deaths += 1
        if life < restarts:
            worker.restart()
    return OversizedRow(deaths, judge(lab))


def _await_an_end(lab: Lab, worker: Worker) -> None:
    """The worker has died, or has committed everything."""
    wait_until(
        lambda: not worker.alive or lab.topics.committed() == lab.topics.ends(job.WORK), seconds=60, what="an end"
    )


def _sizes(*workers: Worker) -> list[int]:
    return [len(worker.store()[1]) for worker in workers]


def key_of(record: Message) -> bytes:
    """The row's key; stock Faust writes it as JSON."""
    return (record.key or b"").strip(b'"')


def author(record: Message) -> str:
    """The worker that wrote this changelog record."""
    return str(row_of(record.value or b"{}").get("by"))
