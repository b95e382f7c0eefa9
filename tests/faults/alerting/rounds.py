"""Rounds of harm to alerters and notifiers while alerts open and close.

python -m tests.faults.alerting.rounds --bootstrap HOST:PORT --database URL --rounds 30 --report FILE
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from services.alerter.decide import Alerter
from tests.faults.alerting import oracle, receipts
from tests.faults.alerting.harms import Crew, Harm, killed
from tests.faults.alerting.journal import read_journal
from tests.faults.alerting.lab import LATER, SOON, AlertingLab, alerting_lab
from vigilo.events.alerts import AlertTransition
from vigilo.events.codec import decode

HOSTS = 110
_PATIENCE_S = 90.0
_HEAD = (*oracle.COLUMNS, "wanted", "missing", "overtaken", "again")


@dataclass(frozen=True, slots=True)
class Round:
    """What was done, and the verdicts over everything since the first round."""

    number: int
    done: str
    by_itself: int
    seconds: float
    verdict: oracle.Verdict
    receipts: receipts.Receipts

    @property
    def clean(self) -> bool:
        """True if nothing is wrong."""
        return self.verdict.clean and self.receipts.clean


def run_rounds(
    lab: AlertingLab, harm: Harm, *, rounds: int, seed: int, hosts: int = HOSTS, report: Path | None = None
) -> list[Round]:
    """Runs them; after each one waits until the work is done and judges. Prints and writes the table as it grows."""
    crew = Crew(lab)
    lab.add_hosts(hosts)
    seen: list[Round] = []
    for number in range(1, rounds + 1):
        seen.append(_one_round(crew, harm, number, random.Random(f"{seed}/{number}")))
        print(_line(seen[-1]), *seen[-1].verdict.examples, sep="\n", flush=True)
        if report is not None:
            report.write_text(table(f"seed {seed}, {hosts} hosts", seen))
    return seen


def _one_round(crew: Crew, harm: Harm, number: int, chance: random.Random) -> Round:
    began, crew.by_itself = time.monotonic(), 0
    feeder = threading.Thread(target=_feed, args=(crew.lab, number, chance.randrange(2**32)), daemon=True)
    feeder.start()
    time.sleep(chance.uniform(0, 1.5))
    done = harm(crew, chance)
    time.sleep(chance.uniform(0, 1))
    crew.restart_dead(expected=True)
    feeder.join(timeout=60)
    assert not feeder.is_alive()
    verdict, receipt = settled(crew)
    return Round(number, done, crew.by_itself, time.monotonic() - began, verdict, receipt)


def _feed(lab: AlertingLab, number: int, seed: int) -> None:
    lab.disturb(random.Random(seed))
    lab.scan_all(SOON if number % 2 else LATER)


def settled(crew: Crew) -> tuple[oracle.Verdict, receipts.Receipts]:
    """The verdicts once the work is done, or has not been for a minute and a half."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        crew.restart_dead(expected=False)
        verdict, receipt = _judged(crew.lab)
        if (verdict.clean and receipt.clean) or time.monotonic() > deadline:
            return verdict, receipt
        time.sleep(1)


def _judged(lab: AlertingLab) -> tuple[oracle.Verdict, receipts.Receipts]:
    kafka = lab.services.kafka
    journal = read_journal(kafka, tuple(Alerter.inputs))
    transitions = [decode(record, AlertTransition) for record in journal.transitions]
    verdict = oracle.judge(journal, partitions=kafka.host_partitions)
    return verdict, receipts.judge(transitions, tuple(lab.receiver.requests), lab.channel_id)


def table(title: str, seen: list[Round]) -> str:
    """The rounds as plain text; counts are over all rounds so far."""
    head = f"{'round':>5} {'hurt':<22} {'by itself':>9} {'s':>4} " + " ".join(f"{name:>11}" for name in _HEAD)
    return "\n".join([title, head, *map(_line, seen)]) + "\n"


def _line(one: Round) -> str:
    counts = [getattr(one.verdict, name) for name in oracle.COLUMNS]
    counts += [one.receipts.wanted, one.receipts.missing, one.receipts.overtaken, one.receipts.again]
    return f"{one.number:>5} {one.done:<22} {one.by_itself:>9} {one.seconds:>4.0f} " + " ".join(
        f"{count:>11}" for count in counts
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--database", required=True, help="an empty database, as its superuser")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--report", type=Path)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vigilo-alerting-"))
    with alerting_lab(chosen.bootstrap, f"faults-{uuid4().hex[:8]}-", folder, chosen.database) as lab:
        run_rounds(
            lab,
            killed,
            rounds=chosen.rounds,
            seed=chosen.seed,
            hosts=chosen.hosts,
            report=chosen.report,
        )


if __name__ == "__main__":
    main()
