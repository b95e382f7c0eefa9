"""Restart rounds: two workers, messages flowing, one or both of them killed or stopped at random.

python -m tests.faults.streams.rounds --bootstrap HOST:PORT --kind base --rounds 20 --report FILE
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.streams.lab import Lab, experiment
from tests.faults.streams.oracle import COLUMNS, Verdict, judge, settle
from tests.faults.streams.waiting import wait_until
from tests.faults.streams.workers import Worker

MESSAGES_PER_ROUND = 2_000
# Below what two workers do, and far above: a kill meets idle workers and a backlog.
RATES = (400, 10_000)


@dataclass(frozen=True, slots=True)
class Round:
    """What was done, and the verdict over everything since the first round. `by_itself`: workers nobody had hurt."""

    number: int
    done: str
    by_itself: int
    seconds: float
    verdict: Verdict


def run_rounds(lab: Lab, kind: str, *, rounds: int, report: Path | None = None, patience: float = 60) -> list[Round]:
    """Runs them; after each one waits until the work is done, `patience` seconds at most, and judges.

    Prints and writes the table as it grows.
    """
    workers = [lab.start(kind, name) for name in ("one", "two")]
    wait_until(lambda: _both_work(lab, workers), seconds=60, what="both workers at work", every=1)
    seen: list[Round] = []
    for number in range(1, rounds + 1):
        seen.append(_one_round(lab, workers, number, patience))
        print(_line(seen[-1]), flush=True)
        if report is not None:
            report.write_text(table(f"{kind}, seed {lab.seed}", seen))
    return seen


def _both_work(lab: Lab, workers: list[Worker]) -> bool:
    lab.send(40)
    return all(worker.processed() for worker in workers)


def _one_round(lab: Lab, workers: list[Worker], number: int, patience: float) -> Round:
    began = time.monotonic()
    # The feeder takes its keys from the lab's generator; the faults have their own, or threads would share one.
    chance = random.Random(f"{lab.seed}/{number}")
    feeder = threading.Thread(target=_feed, args=(lab, chance.choice(RATES)), daemon=True)
    feeder.start()
    time.sleep(chance.uniform(0.5, 3))
    done = _hurt(workers, chance)
    time.sleep(chance.uniform(0, 3))
    hurt = {name for name, _ in done}
    by_itself = _start_dead(workers, hurt)
    feeder.join(timeout=60)
    assert not feeder.is_alive()
    deadline = time.monotonic() + patience
    while not settle(lab, seconds=5, quiet=15) and time.monotonic() < deadline:
        by_itself += _start_dead(workers, set())
    words = " ".join(f"{name}:{sent.name}" for name, sent in done)
    return Round(number, words, by_itself, time.monotonic() - began, judge(lab))


def _feed(lab: Lab, rate: int) -> None:
    for _ in range(MESSAGES_PER_ROUND // 20):
        for _ in range(20):
            lab.send_one(lab.rng.choice(lab.keys))
        time.sleep(20 / rate)
    lab.flush()


def _hurt(workers: list[Worker], chance: random.Random) -> list[tuple[str, signal.Signals]]:
    victims = chance.sample(workers, k=chance.choice((1, 1, 2)))
    done: list[tuple[str, signal.Signals]] = []
    for victim in victims:
        number = chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        victim.signal(number)
        done.append((victim.config.name, number))
        time.sleep(chance.choice((0.0, chance.uniform(0, 1))))
    for victim in victims:
        victim.stop()
    return done


def _start_dead(workers: Iterable[Worker], hurt: set[str]) -> int:
    """Does a supervisor's work. Returns how many had ended without being hurt."""
    dead = [worker for worker in workers if not worker.alive]
    for worker in dead:
        worker.restart()
    return sum(worker.config.name not in hurt for worker in dead)


def table(title: str, seen: list[Round]) -> str:
    """The rounds as plain text; counts are over all rounds so far."""
    head = f"{'round':>5} {'hurt':<24} {'by itself':>9} {'s':>5} " + " ".join(f"{name:>8}" for name in COLUMNS)
    return "\n".join([title, head, *map(_line, seen)]) + "\n"


def _line(one: Round) -> str:
    counts = " ".join(f"{getattr(one.verdict, name):>8}" for name in COLUMNS)
    return f"{one.number:>5} {one.done:<24} {one.by_itself:>9} {one.seconds:>5.0f} {counts}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--kind", choices=("stock", "base"), default="base")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for the end of the work")
    parser.add_argument("--keys", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=200, help="of our workers")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vigilo-rounds-"))
    with experiment(chosen.bootstrap, folder) as make:
        lab = make(key_count=chosen.keys, batch_size=chosen.batch_size)
        run_rounds(lab, chosen.kind, rounds=chosen.rounds, report=chosen.report, patience=chosen.patience)


if __name__ == "__main__":
    main()
