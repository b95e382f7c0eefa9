"""Starting and watching a launcher of its own from a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from vigilo_cli.launcher.ports import any_free

ROOT = Path(__file__).parents[3]
SMALL_SYSTEM = (sys.executable, "-m", "tests.fakes.small_system", "up")
VIGILO_UP = (sys.executable, "-m", "vigilo_cli.main", "up")


@dataclass(slots=True)
class Running:
    """A launcher under way, leader of a process group of its own, as under `make run` at a terminal."""

    process: subprocess.Popen[str]
    home: Path
    port: int
    output: Path

    def said(self) -> str:
        """Everything it has printed so far."""
        return self.output.read_text()

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Return once it says so; fail with what it said if it ends or takes longer."""
        self.wait_for(lambda: "Vigilo is ready" in self.said(), "ready", seconds)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Return once the condition holds; fail with what the launcher said otherwise."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.process.poll() is not None
            assert not ended, f"ended before {what}: {self.said()}"
            assert time.monotonic() < deadline, f"not {what} after {seconds} s: {self.said()}"
            time.sleep(0.05)

    def story(self) -> list[str]:
        """What the small system's services wrote about their lives, in order."""
        story = self.home / "life.txt"
        return story.read_text().splitlines() if story.exists() else []

    def recorded(self) -> dict[str, int]:
        """Pids of the running children by name."""
        records = [json.loads(path.read_text()) for path in (self.home / "run").glob("*.json")]
        return {record["name"]: record["pid"] for record in records}

    def interrupt_group(self) -> None:
        """What a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, seconds: float = 30) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(seconds)


@contextmanager
def launched(
    home: Path, environment: Mapping[str, str] | None = None, *, command: tuple[str, ...] = SMALL_SYSTEM
) -> Iterator[Running]:
    """A launcher on that home; killed afterwards with all it left, if it still runs."""
    home.mkdir(exist_ok=True)
    port = any_free()
    output = home.with_name(f"{home.name}-{time.monotonic_ns()}.txt")
    around = {**os.environ, "VIGILO_HOME": str(home), "VIGILO_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    around.update(environment or {})
    with output.open("w") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=around, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
    running = Running(process, home, port, output)
    try:
        yield running
    finally:
        left = list(running.recorded().values())
        if process.poll() is None:
            process.kill()
            process.wait(10)
        assert gone(left, 20), f"left behind: {left}"


def gone(pids: list[int], seconds: float) -> bool:
    """True once none of these processes runs, within that time."""
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """True if it runs; one that ended but was not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def complaint(home: Path, environment: Mapping[str, str], *, command: tuple[str, ...] = VIGILO_UP) -> tuple[int, str]:
    """Exit code and standard error of a launcher that should refuse to start."""
    around = {**os.environ, "VIGILO_HOME": str(home), "VIGILO_PORT": str(any_free()), **environment}
    answer = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, timeout=60, check=False)
    return answer.returncode, answer.stderr
