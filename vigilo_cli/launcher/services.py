"""Which processes make up Vigilo on one machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from vigilo_cli.launcher.processes import Command


@dataclass(frozen=True, slots=True)
class Service:
    """One process of ours: `python -m <module>`. `role` is who it is to the database; None = it has no access."""

    name: str
    module: str
    role: str | None = None


SERVICES = (
    Service("api", "services.api.app", "api"),
    Service("relay", "services.api.relay", "api"),
    Service("projector", "services.api.projector", "projector"),
    Service("scheduler", "services.scheduler.app"),
    Service("scanner", "services.scanner.app"),
    Service("grader", "services.grader.app"),
    Service("alerter", "services.alerter.app"),
    Service("notifier", "services.notifier.app", "notifier"),
)
ROLES = ("api", "projector", "notifier")
FRONT_DOOR = "api"  # listens on VIGILO_PORT, and is ready only when all others are


@dataclass(frozen=True, slots=True)
class Task:
    """Something done once, to its end, before the services start."""

    name: str
    label: str
    arguments: tuple[str, ...]


MIGRATIONS = Task("migrate", "Database schema", ("-m", "services.api.migrate"))
TOPICS = Task("topics", "Topics", ("-m", "vigilo_cli.main", "topics", "apply", "--quiet"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done and what is kept running once Kafka and PostgreSQL are there."""

    tasks: tuple[Task, ...] = (MIGRATIONS, TOPICS)
    services: tuple[Service, ...] = SERVICES


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every process is told. `database_url` is a superuser's: only the migration gets it as it is."""

    home: str
    port: int
    kafka_bootstrap: str
    database_url: str
    passwords: Mapping[str, str]

    def shared(self) -> dict[str, str]:
        """Environment of every process."""
        return {
            "VIGILO_HOME": self.home,
            "VIGILO_PORT": str(self.port),
            "VIGILO_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "VIGILO_DATABASE_URL": "",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # a fifth less resident memory in processes with many threads
        }


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
        environment["VIGILO_READY_WHEN"] = ",".join(f"http://127.0.0.1:{port}/readyz" for port in others)
    if service.role is not None:
        environment["VIGILO_DATABASE_URL"] = url_for(service.role, around)
    return Command(service.name, (sys.executable, "-m", service.module), environment)


def url_for(role: str, around: Surroundings) -> str:
    """The database's URL for the login role `vigilo_<role>`."""
    parts = urlsplit(around.database_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"vigilo_{role}:{quote(around.passwords[role], safe='')}@{place}"))
