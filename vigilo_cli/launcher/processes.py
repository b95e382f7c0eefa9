"""Child processes that live exactly as long as their owner, each with a log file and a record of its pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from vigilo_cli.launcher.problems import reason_in

CHILD = Path(__file__).with_name("child.py")
LOG_LIMIT_BYTES = 20 * 1024 * 1024  # a longer log is set aside, once, at the next start


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's user a child runs as; -1 keeps the owner's."""

    uid: int = -1
    gid: int = -1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `stop_signal` asks it to end in order; the kernel sends the same one when its owner dies.

    `environment` is laid over the owner's; None takes a variable away.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account = Account()


class Child:
    """One running process of a `Command`.

    Start it in a thread that lives as long as the child should: Linux watches the thread, not the process. The child
    has a session of its own, so a Ctrl-C at the terminal reaches only its owner.
    """

    def __init__(self, command: Command, *, logs: Path, records: Path) -> None:
        self.name = command.name
        self.log = logs / f"{command.name}.log"
        self._stop_signal = command.stop_signal
        self._record = records / f"{command.name}.json"
        _rotate(self.log)
        self._process = _spawn(command, self.log)
        self._remember()

    @property
    def pid(self) -> int:
        """The process's id; the record beside the logs holds it too."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative = ended by that signal."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self.exit_code() is None:
            self._process.send_signal(self._stop_signal)

    def kill(self) -> None:
        """End it without asking, and its descendants."""
        if self.exit_code() is None:
            end_tree(psutil.Process(self.pid))
        self.wait(timeout=10)

    def wait(self, *, timeout: float) -> bool:
        """True once it has ended, within `timeout` seconds; forgets its record then."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self._record.unlink(missing_ok=True)
        return True

    def stop(self, *, timeout: float) -> bool:
        """Ask, wait `timeout` seconds, then kill. True if asking was enough."""
        self.ask_to_stop()
        if self.wait(timeout=timeout):
            return True
        self.kill()
        return False

    def last_lines(self, count: int = 5) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-count:])

    def last_words(self) -> str:
        """The line of its log's end that tells most about why it ended."""
        return reason_in(self.last_lines(20))

    def _remember(self) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        started = psutil.Process(self.pid).create_time()
        self._record.write_text(
            json.dumps({"name": self.name, "pid": self.pid, "started": started, "signal": int(self._stop_signal)})
        )


def merged_environment(command: Command) -> dict[str, str]:
    """The owner's environment with the command's laid over it."""
    merged = {**os.environ, **command.environment}
    return {name: text for name, text in merged.items() if text is not None}


def _spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    account = command.account
    options = [str(os.getpid()), str(int(command.stop_signal)), str(account.uid), str(account.gid)]
    wrapper = [sys.executable, "-I", "-S", str(CHILD), *options, "--"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*wrapper, *command.argv],
            env=merged_environment(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def end_leftovers(records: Path, *, timeout: float = 20) -> list[str]:
    """End what an owner that was killed left running; the names of those found alive.

    A record counts only if pid and start time agree, so a reused pid is never touched.
    """
    found = [leftover for path in sorted(records.glob("*.json")) if (leftover := _leftover(path)) is not None]
    for process, _, stop_signal in found:
        _send(process, stop_signal)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and any(_runs(process) for process, _, _ in found):
        time.sleep(0.05)
    for process in (process for process, _, _ in found if _runs(process)):
        end_tree(process)
    for path in records.glob("*.json"):
        path.unlink(missing_ok=True)
    return [name for _, name, _ in found]


def _leftover(record: Path) -> tuple[psutil.Process, str, int] | None:
    try:
        kept = json.loads(record.read_text())
        process = psutil.Process(kept["pid"])
        same = abs(process.create_time() - kept["started"]) < 1
        return (process, kept["name"], kept["signal"]) if same and _runs(process) else None
    except (ValueError, KeyError, psutil.Error):
        return None


def _runs(process: psutil.Process) -> bool:
    """False also for a zombie: it has ended, though nobody has asked how (a container without an init)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_tree(process: psutil.Process) -> None:
    """SIGKILL to a process and its descendants, children last seen included; waits until they are gone."""
    try:
        family = [*process.children(recursive=True), process]
    except psutil.Error:
        return
    for member in family:
        _send(member, signal.SIGKILL)
    psutil.wait_procs(family, timeout=5)


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
