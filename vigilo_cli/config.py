"""`vigilo config`: every effective setting, of every service, secrets masked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic.fields import FieldInfo

import services
import vigilo_cli
from vigilo.adapters.settings import (
    MASK,
    PREFIX,
    BadSettings,
    EnvironmentSettings,
    KafkaSettings,
    Listed,
    Settings,
    listed,
    masked,
    read,
    variable_of,
)
from vigilo.events.text import visible

app = typer.Typer()

_DEFINES_SETTINGS: Final = re.compile(r"^class \w+Settings\(", re.MULTILINE)

# `vigilo up` reads these before any service exists.
LAUNCHER = {
    "VIGILO_PORT": "`vigilo up`: port of the API and the web page; default 8080",
    "VIGILO_CACHE": "`vigilo up`: where downloaded servers are kept",
    "VIGILO_MIN_FREE_MB": "`vigilo up`: refuse to start with less free disk",
}


@app.command()
def config(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only settings that are not at their default.")] = False,
) -> None:
    """Print all effective settings with secrets masked; problems go to standard error and end with status 1."""
    rows, problems = effective(settings_classes())
    shown = [row for row in rows if not changed or row.source != "default"]
    if as_json:
        typer.echo(json.dumps({row.variable: {"value": row.value, "source": row.source} for row in shown}, indent=2))
    else:
        for line in table(shown):
            typer.echo(line)
    for variable in unknown_variables(rows):
        typer.echo(f"{variable} is set, but no service reads it", err=True)
    for problem in problems:
        typer.echo(visible(problem), err=True)
    if problems:
        raise typer.Exit(1)


def settings_classes() -> list[tuple[str, type[EnvironmentSettings]]]:
    """Every settings class of services and commands, with the service's name; `all` is what every service shares.

    Found by reading the sources, so that only modules that define settings are imported.
    """
    found: list[tuple[str, type[EnvironmentSettings]]] = [("all", KafkaSettings), ("all", Settings)]
    for package in (services, vigilo_cli):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            if _DEFINES_SETTINGS.search(path.read_text(encoding="utf-8")):
                parts = path.relative_to(root).with_suffix("").parts
                found.extend((parts[0], one) for one in _own_classes(".".join((package.__name__, *parts))))
    return found


def _own_classes(module_name: str) -> Iterator[type[EnvironmentSettings]]:
    module = import_module(module_name)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, EnvironmentSettings) and value.__module__ == module_name:
            yield value


def effective(classes: Iterable[tuple[str, type[EnvironmentSettings]]]) -> tuple[list[Listed], list[str]]:
    """Every setting by variable, and what is wrong. A variable two services read differently is there twice."""
    rows: dict[tuple[str, str], Listed] = {}
    problems: dict[str, list[str]] = {}
    for service, settings in classes:
        try:
            found = listed(read(settings))
        except BadSettings as error:
            found = unread(settings)
            for line in str(error).splitlines():
                problems.setdefault(line, []).append(service)
        rows.update({(row.variable, row.value): row for row in found})
    known = {variable for variable, _ in rows}
    rows.update({(row.variable, row.value): row for row in launcher_rows() if row.variable not in known})
    ordered = [rows[key] for key in sorted(rows)]
    return ordered, [f"{line} ({', '.join(dict.fromkeys(names))})" for line, names in problems.items()]


def launcher_rows() -> Iterator[Listed]:
    """What `vigilo up` itself reads."""
    for variable, description in LAUNCHER.items():
        value = os.environ.get(variable, "")
        yield Listed(variable, value, "environment" if value else "default", description)


def unread(settings: type[EnvironmentSettings]) -> tuple[Listed, ...]:
    """The settings of a class that cannot be read: what is set is shown as it is, what must be set as missing."""
    return tuple(
        _unread(variable_of(settings, name), field)
        for name, field in settings.model_fields.items()
        if name != "kafka"  # read on its own, and listed by the base class
    )


def _unread(variable: str, field: FieldInfo) -> Listed:
    description = field.description or ""
    if f"{variable}_FILE" in os.environ:
        return Listed(variable, MASK, "file", description)
    if given := os.environ.get(variable):
        secret = "Secret" in str(field.annotation)
        return Listed(variable, MASK if secret else masked(given), "environment", description)
    if field.is_required():
        return Listed(variable, "(missing)", "missing", description)
    return Listed(
        variable, masked(field.get_default(call_default_factory=True, validated_data={})), "default", description
    )


def unknown_variables(rows: Iterable[Listed]) -> list[str]:
    """Variables with our prefix that nothing reads: mostly typing errors."""
    known = {name for row in rows for name in (row.variable, f"{row.variable}_FILE")}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def table(rows: list[Listed]) -> Iterator[str]:
    """Aligned columns: variable, value, meaning; a star where the value is not the default."""
    width = max((len(row.variable) for row in rows), default=0)
    for row in rows:
        mark = " " if row.source == "default" else "*"
        yield f"{mark} {row.variable:<{width}}  {visible(row.value) or '-':<24}  {row.description}".rstrip()
