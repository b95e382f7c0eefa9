"""What the launcher and the tests see of a local server, whatever runs it."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from vigilo_cli.launcher.home import Home
from vigilo_cli.launcher.problems import CannotStart
from vigilo_cli.launcher.processes import Account, Child, Command


class Server(ABC):
    """One server: prepare (slow, any thread), launch (quick, in a thread that stays), wait until ready, stop.

    `address` is what clients connect to, valid after `launch`; `choice` says in words what was chosen.
    """

    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, name: str, choice: str, home: Home) -> None:
        self.name = name
        self.choice = choice
        self.home = home
        self.address = ""
        self.port = 0
        self.child: Child | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Everything slow that may run beside other work. Raises CannotStart."""

    @abstractmethod
    def launch(self) -> None:
        """Start the process; sets `address`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """True once clients can work."""

    def start_child(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str | None] | None = None,
        account: Account | None = None,
    ) -> None:
        """Run the server's process with the home's logs and records."""
        command = Command(self.name, argv, environment or {}, self.stop_signal, account or Account())
        self.child = Child(command, logs=self.home.logs, records=self.home.records)

    def poll(self, deadline: float) -> bool:
        """True once ready; `deadline` is a monotonic clock's seconds.

        Raises CannotStart with the end of its log if it has ended, or if the deadline has passed.
        """
        if self.is_ready():
            return True
        if self.child is not None and self.child.exit_code() is not None:
            raise CannotStart(f"{self.choice} ended while starting: {self.child.last_words()} {self._log_hint()}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{self.choice} does not become ready. {self._log_hint()}")
        return False

    def wait_ready(self, *, timeout: float = 90) -> None:
        """Return once ready, within `timeout` seconds. Raises CannotStart."""
        deadline = time.monotonic() + timeout
        while not self.poll(deadline):
            time.sleep(0.05)

    def start(self, *, timeout: float = 90) -> str:
        """Prepare, launch and wait; the address."""
        self.prepare()
        self.launch()
        self.wait_ready(timeout=timeout)
        return self.address

    def stop(self, *, timeout: float = 20) -> bool:
        """Stop in order; True if it did not have to be killed."""
        return self.child is None or self.child.stop(timeout=timeout)

    def _log_hint(self) -> str:
        return f"See {self.child.log}." if self.child is not None else ""


class ExternalServer(Server):
    """A server somebody else runs; its address came from a setting and is not checked here."""

    def __init__(self, name: str, address: str, setting: str) -> None:
        super().__init__(name, f"as set by {setting}", None)  # type: ignore[arg-type]
        self.address = address

    def prepare(self) -> None:
        """Nothing to prepare."""

    def launch(self) -> None:
        """Nothing to launch."""

    def is_ready(self) -> bool:
        """Taken on trust: the first real use says what is wrong."""
        return True
