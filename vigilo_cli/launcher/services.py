"""Which processes make up Vigilo on one machine."""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from vigilo_cli.launcher.home import Home
from vigilo_cli.launcher.processes import Command


@dataclass(frozen=True, slots=True)
class Service:
    """One process of ours: `python -m <module>`. `role` is who it is to the database; None = it has no access."""

    name: str
    module: str
    role: str | None = None


# The API's process also publishes its outbox (relay): one interpreter less.
SERVICES = (
    Service("api", "services.api.app", "api"),
    Service("projector", "services.api.projector", "projector"),
    Service("scheduler", "services.scheduler.app"),
    Service("scanner", "services.scanner.app"),
    Service("grader", "services.grader.app"),
    Service("alerter", "services.alerter.app"),
    Service("notifier", "services.notifier.app", "notifier"),
)
ROLES = ("api", "projector", "notifier")
SECRET_KEYS = "secret-keys"
FRONT_DOOR = "api"  # listens on VIGILO_PORT, and is ready only when all others are


@dataclass(frozen=True, slots=True)
class Task:
    """Something done once, to its end, before the services start."""

    name: str
    label: str
    arguments: tuple[str, ...]


MIGRATIONS = Task("migrate", "Database schema", ("-m", "services.api.migrate"))
OWNER = Task("bootstrap", "First workspace", ("-m", "services.api.bootstrap"))
SIGN_IN_LINK = Task("sign-in-link", "Sign-in link", ("-m", "services.api.signin.link"))
TOPICS = Task("topics", "Topics", ("-m", "vigilo_cli.main", "topics", "apply", "--quiet"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done once each server is there, one after the other, and what is kept running once all that is done."""

    with_database: tuple[Task, ...] = (MIGRATIONS, OWNER)
    with_kafka: tuple[Task, ...] = (TOPICS,)
    services: tuple[Service, ...] = SERVICES


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every process is told. `database_url` is a superuser's: only the migration gets it as it is.

    `defaults` are settings a person may have made otherwise in the launcher's own environment; then theirs hold.
    """

    home: str
    port: int
    kafka_bootstrap: str
    database_url: str
    passwords: Mapping[str, str]
    defaults: Mapping[str, str]

    def shared(self) -> dict[str, str | None]:
        """Environment of every process; None takes a variable away."""
        return {
            **self.defaults,
            "VIGILO_HOME": self.home,
            "VIGILO_PORT": str(self.port),
            "VIGILO_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "VIGILO_KAFKA_BOOTSTRAP_FILE": None,
            "VIGILO_DATABASE_URL": None,
            "VIGILO_DATABASE_URL_FILE": None,
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # less resident memory in processes with several threads
        }


def local_defaults(home: Home, port: int, listeners: Iterable[int], given: Mapping[str, str]) -> dict[str, str]:
    """Settings that suit a single machine, without those that `given` already has (itself or as `_FILE`).

    Secrets at rest get a key of this home; scans may go to private networks and to loopback, which is where people try
    things, but never to our own listeners.
    """
    defaults = {
        "VIGILO_SECRET_KEYS_FILE": str(home.secret_file(SECRET_KEYS, new_secret_key)),
        "VIGILO_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VIGILO_POOL_ALLOW": "0.0.0.0/0,::/0",
        "VIGILO_OWN_LISTENERS": ",".join(f"127.0.0.1:{port}" for port in sorted(listeners)),
    }
    return {name: text for name, text in defaults.items() if not _is_set(name, given)}


def _is_set(name: str, given: Mapping[str, str]) -> bool:
    plain = name.removesuffix("_FILE")
    return bool(given.get(plain) or given.get(f"{plain}_FILE"))


def new_secret_key() -> str:
    """One entry of VIGILO_SECRET_KEYS: id, colon, 32 random bytes in base64."""
    return f"local:{b64encode(os.urandom(32)).decode()}"


def task_command(task: Task, around: Surroundings) -> Command:
    """How to run it: with the superuser's URL, and the roles' passwords to set."""
    passwords = {f"VIGILO_{role.upper()}_PASSWORD": around.passwords[role] for role in ROLES}
    environment = {**around.shared(), **passwords, "VIGILO_DATABASE_URL": around.database_url}
    return Command(task.name, (sys.executable, *task.arguments), environment)


def service_command(service: Service, around: Surroundings, health_ports: Mapping[str, int]) -> Command:
    """How to run it: its health on its own port of `health_ports`, its database URL its own role's.

    The front door also learns where to ask all others, for a host can be scanned only when they are ready.
    """
    environment = {**around.shared(), "VIGILO_HEALTH_PORT": str(health_ports[service.name])}
    if service.name == FRONT_DOOR:
        others = (port for name, port in health_ports.items() if name != FRONT_DOOR)
        environment["VIGILO_READY_URLS"] = ",".join(f"http://127.0.0.1:{port}/readyz" for port in others)
    if service.role is not None:
        environment["VIGILO_DATABASE_URL"] = url_for(service.role, around)
    return Command(service.name, (sys.executable, "-m", service.module), environment)


def url_for(role: str, around: Surroundings) -> str:
    """The database's URL for the login role `vigilo_<role>`."""
    parts = urlsplit(around.database_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"vigilo_{role}:{quote(around.passwords[role], safe='')}@{place}"))
