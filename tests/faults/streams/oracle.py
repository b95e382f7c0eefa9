"""What ought to be true of an experiment, counted from Kafka and the journals alone."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import Any

from tests.faults.streams import job
from tests.faults.streams.lab import Lab


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the table. All but `sent` and `results` ought to be 0.

    `lost`: positions never processed though the group has committed past them. `pending`: never processed and not
    committed either. `short`: positions between committed and end. `over`, `under`: applications of an event beyond
    once, and short of once, by the counts in the table's changelog. `missing`: inputs without a result;
    `foreign`: results of no input. `variants`: result ids with two different contents.
    """

    sent: int
    lost: int
    pending: int
    short: int
    over: int
    under: int
    missing: int
    foreign: int
    variants: int

    @property
    def clean(self) -> bool:
        """Whether every event had exactly one effect."""
        return not (self.lost or self.pending or self.short or self.over or self.under or self.missing or self.variants)


COLUMNS = tuple(column.name for column in fields(Verdict))


def judge(lab: Lab) -> Verdict:
    """Compares what was sent with what came of it. Poison is to have no effect at all."""
    lab.flush()
    ends, committed = lab.topics.ends(job.WORK), lab.topics.committed()
    wanted = {position: item.key for position, item in lab.sent.items() if not item.poison}
    unseen = set(wanted) - set(lab.journal())
    times, counts = Counter(wanted.values()), rows(lab)
    contents = results(lab)
    return Verdict(
        sent=len(lab.sent),
        lost=sum(offset < committed[partition] for partition, offset in unseen),
        pending=sum(offset >= committed[partition] for partition, offset in unseen),
        short=sum(ends[partition] - committed[partition] for partition in ends),
        over=sum(max(0, counts.get(key, 0) - count) for key, count in times.items()),
        under=sum(max(0, count - counts.get(key, 0)) for key, count in times.items()),
        missing=len({str(job.result_id(*position)) for position in wanted} - set(contents)),
        foreign=len(set(contents) - {str(job.result_id(*position)) for position in wanted}),
        variants=sum(len(values) > 1 for values in contents.values()),
    )


def results(lab: Lab) -> dict[str, set[object]]:
    """For each result id everything that was written under it: key, value, headers."""
    contents: dict[str, set[object]] = defaultdict(set)
    for message in lab.topics.read(job.RESULTS):
        contents[message.header("ce_id")].add((message.key, message.value, message.headers))
    return contents


def rows(lab: Lab) -> dict[str, int]:
    """The count in each key's last changelog record: what the next worker would recover."""
    last = {(m.key or b"").decode().strip('"'): m.value for m in lab.topics.read(job.CHANGELOG)}  # stock keys are JSON
    return {key: row_of(value)["count"] for key, value in last.items() if value is not None}


def row_of(value: bytes) -> dict[str, Any]:
    """The job's own row inside a changelog record of either worker."""
    row: dict[str, Any] = json.loads(value)
    inner: dict[str, Any] = row.get("state", row)
    return inner


def settle(lab: Lab, *, seconds: float, quiet: float = 10) -> bool:
    """Waits until the group has committed everything, or until nothing has moved for `quiet` seconds.

    Returns whether committed = end.
    """
    deadline = time.monotonic() + seconds
    last, since = None, time.monotonic()
    while time.monotonic() < deadline:
        committed = lab.topics.committed()
        if committed == lab.topics.ends(job.WORK):
            return True
        now = (committed, sum(worker.processed() for worker in lab.workers))
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > quiet:
            return False
        time.sleep(0.3)
    return False
