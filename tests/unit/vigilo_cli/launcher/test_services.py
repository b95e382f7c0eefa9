from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from vigilo.adapters.egress import EgressDenied, ScanEgress, parse_listeners, parse_networks
from vigilo.adapters.secrets import parse_keys
from vigilo_cli.launcher.home import open_home
from vigilo_cli.launcher.services import (
    FRONT_DOOR,
    MIGRATIONS,
    ROLES,
    SERVICES,
    Surroundings,
    local_defaults,
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
    defaults={"VIGILO_POOL_ALLOW": "::/0"},
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
        environment = service_command(service, AROUND, PORTS).environment
        assert (environment["VIGILO_DATABASE_URL"] is None) == (service.role is None)
        assert environment["VIGILO_DATABASE_URL_FILE"] is None


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
        service.name: service_command(service, AROUND, PORTS).environment.get("VIGILO_READY_URLS")
        for service in SERVICES
    }
    others = [port for name, port in PORTS.items() if name != FRONT_DOOR]
    assert waits.pop(FRONT_DOOR) == ",".join(f"http://127.0.0.1:{port}/readyz" for port in others)
    assert set(waits.values()) == {None}


def test_a_single_machine_gets_a_key_and_may_scan_everything_but_ourselves(tmp_path: Path) -> None:
    defaults = local_defaults(open_home(tmp_path), 8080, [8080, 20000], {})
    keys = parse_keys(Path(defaults["VIGILO_SECRET_KEYS_FILE"]).read_text())
    assert list(keys) == ["local"]
    egress = ScanEgress(
        parse_networks(defaults["VIGILO_POOL_ALLOW"].split(",")),
        parse_listeners(defaults["VIGILO_OWN_LISTENERS"].split(",")),
    )
    for address, port in (("127.0.0.1", 443), ("10.0.0.1", 443), ("::1", 8443), ("93.184.215.14", 443)):
        egress.check(address, port)
    for address, port in (("127.0.0.1", 8080), ("127.0.0.1", 20000), ("169.254.169.254", 80)):
        with pytest.raises(EgressDenied):
            egress.check(address, port)


def test_the_key_stays_from_run_to_run(tmp_path: Path) -> None:
    first = Path(local_defaults(open_home(tmp_path), 8080, [], {})["VIGILO_SECRET_KEYS_FILE"]).read_text()
    assert Path(local_defaults(open_home(tmp_path), 8080, [], {})["VIGILO_SECRET_KEYS_FILE"]).read_text() == first


@pytest.mark.parametrize("variable", ["VIGILO_SECRET_KEYS", "VIGILO_SECRET_KEYS_FILE"])
def test_what_a_person_has_set_is_left_alone(tmp_path: Path, variable: str) -> None:
    defaults = local_defaults(open_home(tmp_path), 8080, [], {variable: "x", "VIGILO_POOL_ALLOW": "10.0.0.0/8"})
    assert set(defaults) == {"VIGILO_OWN_LISTENERS", "VIGILO_PUBLIC_URL"}


def test_names_are_unique_for_each_is_a_log_file() -> None:
    assert len({service.name for service in SERVICES}) == len(SERVICES)
