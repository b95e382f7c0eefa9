"""Worker processes: started in sessions of their own, hurt by signals to their pid, read by their journals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.streams import job
from tests.faults.streams.job import JobConfig
from tests.faults.streams.waiting import LabTimeout, wait_until

REPOSITORY = Path(__file__).parents[3]
Position = tuple[int, int]


class Worker:
    """One worker process with its journal and its log."""

    def __init__(self, kind: str, config: JobConfig, folder: Path) -> None:
        self.config = config
        self.log = folder / f"{config.name}.log"
        self._kind = kind
        self._config_file = folder / f"{config.name}.json"
        config.dump(self._config_file)
        self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"tests.faults.streams.{self._kind}_worker", str(self._config_file)],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether the process still runs (a stopped one does)."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends this signal to the process, if it is still there."""
        if self.alive:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and waits for the end."""
        self.signal(signal.SIGKILL)
        self._process.wait(timeout=10)

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative for a signal, None while it runs."""
        return self._process.poll()

    def stop(self, *, seconds: float = 30) -> int:
        """SIGTERM; SIGKILL when that takes too long. Returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def ended(self, *, seconds: float) -> bool:
        """Whether the process ends by itself within that time."""
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def restart(self) -> None:
        """Starts a dead worker again, with the same journal and log."""
        assert not self.alive
        self._process = self._spawn()

    def journal(self) -> list[Position]:
        """The positions processed so far, in order, over all lives of this worker."""
        path = Path(self.config.journal)
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(partition), int(offset)) for partition, offset in (line.split() for line in lines)]

    def processed(self) -> int:
        """The number of journal lines, without parsing them."""
        path = Path(self.config.journal)
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def await_progress(self, count: int, *, seconds: float = 60) -> None:
        """Waits until that many positions were processed. Raises LabTimeout, at once if the process has ended."""
        deadline = time.monotonic() + seconds
        while self.processed() < count:
            if not self.alive or time.monotonic() > deadline:
                raise LabTimeout(f"{self.config.name}: {self.processed()} of {count}, alive={self.alive}, {self.log}")
            time.sleep(0.02)

    def await_words(self, words: str, *, seconds: float = 40) -> None:
        """Returns within a millisecond of the moment the log of this life says these words. Raises LabTimeout."""
        deadline = time.monotonic() + seconds
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            while words.encode() not in log.readline():
                if not self.alive or time.monotonic() > deadline:
                    raise LabTimeout(f"{self.config.name} did not say {words!r}: {self.log}")
                time.sleep(0 if log.tell() < self.log.stat().st_size else 0.0003)

    def store(self, *, seconds: float = 10) -> tuple[dict[str, int], set[int]]:
        """The counts in the worker's store and its input partitions, asked for by SNAPSHOT_SIGNAL."""
        self.await_words(job.ANSWERING)
        path = Path(self.config.snapshot)
        path.unlink(missing_ok=True)
        self.signal(job.SNAPSHOT_SIGNAL)
        wait_until(path.exists, seconds=seconds, what=f"snapshot of {self.config.name}")
        seen = json.loads(path.read_text())
        return seen["counts"], set(seen["assigned"])
