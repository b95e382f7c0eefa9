"""What `vigilo up` can be told, all by environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vigilo_cli.launcher.problems import CannotStart

DEFAULT_PORT = 8080
DEFAULT_MIN_FREE_MB = 512


@dataclass(frozen=True, slots=True)
class Options:
    """`kafka_bootstrap` and `database_url` name servers somebody else runs; None = bring our own."""

    home: Path
    port: int
    min_free_mb: int
    kafka_bootstrap: str | None
    database_url: str | None


def options_from(environment: Mapping[str, str]) -> Options:
    """The options as set; an empty variable counts as unset. Raises CannotStart naming the variable that is wrong."""
    return Options(
        home=Path(environment.get("VIGILO_HOME") or ".vigilo"),
        port=_number(environment, "VIGILO_PORT", DEFAULT_PORT, 1, 65535),
        min_free_mb=_number(environment, "VIGILO_MIN_FREE_MB", DEFAULT_MIN_FREE_MB, 0, 10**9),
        kafka_bootstrap=environment.get("VIGILO_KAFKA_BOOTSTRAP") or None,
        database_url=environment.get("VIGILO_DATABASE_URL") or None,
    )


def _number(environment: Mapping[str, str], variable: str, default: int, least: int, most: int) -> int:
    text = environment.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise CannotStart(f"{variable}={text}: give a whole number from {least} to {most}.")
    return int(text)
