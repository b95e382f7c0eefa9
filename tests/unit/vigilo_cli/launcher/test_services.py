from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from vigilo_cli.launcher.services import (
    FRONT_DOOR,
    MIGRATIONS,
    ROLES,
    SERVICES,
    Surroundings,
    service_command,
    task_command,
    url_for,
)

AROUND = Surroundings(
    home="/h",
    port=8080,
    kafka_bootstrap="127.0.0.1:9092",
    database_url="postgresql://postgres:s3cret@127.0.0.1:5432/postgres",
    passwords={role: f"{role}-p@ss/word" for role in ROLES},
)
PORTS = {service.name: 20_000 + number for number, service in enumerate(SERVICES)}


def test_no_service_ever_gets_the_superusers_password() -> None:
    for service in SERVICES:
        assert "s3cret" not in str(service_command(service, AROUND, PORTS))


def test_secrets_are_in_the_environment_never_in_the_arguments() -> None:
    commands = [service_command(service, AROUND, PORTS) for service in SERVICES]
    for command in [*commands, task_command(MIGRATIONS, AROUND)]:
        assert "p@ss" not in str(command.argv)
        assert "s3cret" not in str(command.argv)


def test_a_service_without_a_role_cannot_find_the_database() -> None:
    for service in SERVICES:
        url = service_command(service, AROUND, PORTS).environment["VIGILO_DATABASE_URL"]
        assert (url == "") == (service.role is None)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres:s3cret@127.0.0.1:5432/postgres",
        "postgresql://127.0.0.1:5432/postgres",
        "postgresql://postgres:@/postgres?host=/run/pg",
        "postgresql://a:b%40c@[::1]:5432/postgres?sslmode=require",
    ],
)
def test_a_roles_url_differs_only_in_who_it_is(url: str) -> None:
    before = psycopg.conninfo.conninfo_to_dict(url)
    after = psycopg.conninfo.conninfo_to_dict(url_for("projector", replace(AROUND, database_url=url)))
    assert (after.pop("user"), after.pop("password")) == ("vigilo_projector", "projector-p@ss/word")
    before.pop("user", None)
    before.pop("password", None)
    assert after == before


def test_only_the_front_door_waits_for_all_others() -> None:
    waits = {
        service.name: service_command(service, AROUND, PORTS).environment.get("VIGILO_READY_WHEN")
        for service in SERVICES
    }
    others = [port for name, port in PORTS.items() if name != FRONT_DOOR]
    assert waits.pop(FRONT_DOOR) == ",".join(f"http://127.0.0.1:{port}/readyz" for port in others)
    assert set(waits.values()) == {None}


def test_names_are_unique_for_each_is_a_log_file() -> None:
    assert len({service.name for service in SERVICES}) == len(SERVICES)
