"""The job that both workers do: count the events of each key, say so in one result per event.

Its row and its result hold the count, so an event that is applied twice or left out shows in the numbers.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

SERVICE = "lab"
TABLE = "counts"
WORK = "work"
RESULTS = "results"
DEAD_LETTERS = "dead-letters"
CHANGELOG = f"{SERVICE}-{TABLE}-changelog"
PARTITIONS = 4
SESSION_TIMEOUT_S = 6.0
SEEKING = "Seek stream partitions"  # in a worker's log when it is about to ask for the committed offsets
RECOVERING = "Restoring state from changelog topics"
ANSWERING = "the lab may ask"
SNAPSHOT_SIGNAL = signal.SIGHUP  # the one Faust leaves alone


@dataclass(frozen=True, slots=True)
class JobConfig:
    """What a worker process is told. `batch` above 1 makes the stock worker collect events before it writes rows.

    `batch_size` and `die_at` (a name of kill_points.POINTS, at which the process sends itself SIGKILL) are for ours.
    """

    name: str
    bootstrap: str
    prefix: str
    journal: str
    snapshot: str
    batch: int = 1
    pause_ms: int = 0
    batch_size: int = 200
    die_at: str = ""

    @classmethod
    def load(cls, path: str) -> JobConfig:
        """The configuration in this JSON file."""
        return cls(**json.loads(Path(path).read_text()))

    def dump(self, path: Path) -> None:
        """Writes the JSON file that `load` reads."""
        path.write_text(json.dumps(asdict(self)))


class Journal:
    """Append-only list of processed positions. One write per line: a SIGKILL loses nothing that was written."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, partition: int, offset: int) -> None:
        """Records that this position was processed."""
        os.write(self._descriptor, f"{partition} {offset}\n".encode())


def result_id(partition: int, offset: int) -> UUID:
    """The id of the result of the input at this position."""
    return uuid5(NAMESPACE_OID, f"{WORK}/{partition}/{offset}")


def padding(number: int, size: int) -> str:
    """About `size` characters that compression cannot shrink below half; the same for the same number."""
    return random.Random(number).randbytes(size // 2).hex()


def write_snapshot(path: str, *, counts: Mapping[str, int], assigned: list[int]) -> None:
    """Writes the count of each key in the worker's store and which input partitions it has, in one rename."""
    draft = Path(f"{path}.draft")
    draft.write_text(json.dumps({"counts": counts, "assigned": assigned}))
    draft.replace(path)
