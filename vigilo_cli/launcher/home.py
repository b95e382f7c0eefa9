"""The state folder: data, logs, pids and secrets of one installation on one machine."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vigilo_cli.launcher.ports import Ports
from vigilo_cli.launcher.problems import CannotStart


@dataclass(frozen=True, slots=True)
class Home:
    """Where one installation keeps everything it writes. `root` is absolute; only its owner may enter."""

    root: Path
    ports: Ports

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def records(self) -> Path:
        """One file per running child: pid and start time."""
        return self.root / "run"

    @property
    def owner_token(self) -> Path:
        """The owner's API token; readable by the owner only."""
        return self.root / "owner-token"

    def secret(self, name: str) -> str:
        """A random secret made at first use, kept in a file only the owner may read."""
        return self.secret_file(name, lambda: secrets.token_urlsafe(24)).read_text().strip()

    def secret_file(self, name: str, make: Callable[[], str]) -> Path:
        """The private file of that name, with what `make` returns if it was not there."""
        file = self.root / name
        if not file.exists():
            write_private(file, make())
        return file


def open_home(root: Path) -> Home:
    """The folder, made if needed. Raises CannotStart if it cannot be used."""
    root = root.absolute()
    home = Home(root, Ports(root / "ports.json"))
    try:
        for folder in (home.root, home.logs, home.records):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home.root / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The state folder {home.root} cannot be used ({error.strerror}): "
            "make it yours, or choose another one with VIGILO_HOME."
        ) from error
    if not os.access(home.root, os.R_OK | os.X_OK):
        raise CannotStart(f"The state folder {home.root} cannot be read: make it yours, or set VIGILO_HOME.")
    return home


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    fresh.replace(file)


def lock(home: Home) -> IO[str]:
    """Hold the folder for this process until the returned file is closed. Raises CannotStart if another holds it."""
    file = (home.root / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise CannotStart(
            f"Vigilo already runs on {home.root} (pid {holder}): stop it first, or choose another VIGILO_HOME."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_space(home: Home, minimum_mb: int) -> None:
    """Raises CannotStart unless the folder's file system has that many megabytes free."""
    free_mb = shutil.disk_usage(home.root).free // (1024 * 1024)
    if free_mb < minimum_mb:
        raise CannotStart(
            f"Only {free_mb} MB are free under {home.root}, {minimum_mb} MB are needed: "
            "free some space, or choose another VIGILO_HOME."
        )
