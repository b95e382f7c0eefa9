"""Keeps a set of processes running: watches, restarts with growing pauses, stops in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vigilo_cli.launcher.ports import listens
from vigilo_cli.launcher.processes import Child
from vigilo_cli.launcher.readiness import Readiness, ask

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # having run this long, a process starts again from the first pause


def pause_after(failures: int) -> float:
    """Seconds before the next start after that many failures in a row: 0.5, 1, 2, 4 ... 30."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (max(1, failures) - 1))


STUBBORN = 5  # deaths in a row after which one more line is due


@dataclass(slots=True)
class Supervised:
    """One process to keep running. `start` runs it anew; `port` is where its readiness is asked, None = never."""

    name: str
    start: Callable[[], Child]
    port: int | None = None
    child: Child | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float = 0.0
    last_words: str = ""
    log: Path | None = None

    def run(self, at: float) -> None:
        """Start it now; `at` is a monotonic clock's seconds."""
        self.child = self.start()
        self.started_at = at

    def readiness(self) -> Readiness:
        """Its own answer, or that it does not run; somebody else's answer on its port does not count."""
        if self.child is None:
            return Readiness(False, "it ended and will be started again")
        if self.port is None:
            return Readiness(True)
        answer = ask(self.port)
        if answer.ready and not listens(self.child.pid, self.port):
            return Readiness(False, f"another program answers on port {self.port}")
        return answer


def obituary(member: Supervised, code: int) -> str | None:
    """The line about a death: at the first of a row, and once more when it has become a habit; else None."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    if member.failures == 1:
        return f"{member.name} ended ({how}) and is started again. Log: {member.log}"
    if member.failures == STUBBORN:
        return f"{member.name} keeps ending ({how}): {member.last_words} It is tried again, more and more rarely."
    return None


class Supervisor:
    """All processes in the order they were added. `tell` gets a line when one dies, not for each death of a row."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.members: list[Supervised] = []
        self._tell = tell

    def add(self, member: Supervised) -> None:
        """Watch it from now on; one without a running child is started."""
        self.members.append(member)
        if member.child is None:
            member.run(time.monotonic())
        else:
            member.started_at = time.monotonic()

    def check(self, at: float) -> None:
        """Notice deaths, and start again those whose pause is over. To be called a few times a second."""
        for member in self.members:
            if member.child is None:
                self._start_again(member, at)
            elif (code := member.child.exit_code()) is not None:
                self._mourn(member, code, at)

    def _start_again(self, member: Supervised, at: float) -> None:
        if at < member.restart_at:
            return
        try:
            member.run(at)
        except OSError as error:  # no space for its log, no process to be had: later, perhaps
            member.failures += 1
            member.restart_at = at + pause_after(member.failures)
            self._tell(f"{member.name} cannot be started: {error}")

    def _mourn(self, member: Supervised, code: int, at: float) -> None:
        assert member.child is not None
        member.log, member.last_words = member.child.log, member.child.last_words()
        member.child.wait(timeout=1)
        member.child = None
        member.failures = 1 if at - member.started_at > STEADY_SECONDS else member.failures + 1
        member.restart_at = at + pause_after(member.failures)
        if (line := obituary(member, code)) is not None:
            self._tell(line)

    def waiting_for(self) -> dict[str, str]:
        """Names of those not ready, with their reasons."""
        answers = {member.name: member.readiness() for member in self.members}
        return {name: answer.reason for name, answer in answers.items() if not answer.ready}

    def stop(self, names: set[str], *, timeout: float, hurry: Callable[[], bool] = lambda: False) -> list[str]:
        """Ask these to stop, all at once, and wait; kill what is left after `timeout` or when `hurry` says so.

        Returns the names of those that had to be killed.
        """
        running = [member for member in self.members if member.name in names and member.child is not None]
        self.members = [member for member in self.members if member.name not in names]
        children = [member.child for member in running if member.child is not None]
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + timeout
        while any(child.exit_code() is None for child in children):
            if hurry() or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        killed = [child.name for child in children if child.exit_code() is None]
        for child in children:
            child.kill()
        return killed
