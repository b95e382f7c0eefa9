"""What `vigilo up` can be told, all by environment variables (the two addresses also as `_FILE`)."""

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
        kafka_bootstrap=_text(environment, "VIGILO_KAFKA_BOOTSTRAP"),
        database_url=_text(environment, "VIGILO_DATABASE_URL"),
    )


def _text(environment: Mapping[str, str], variable: str) -> str | None:
    file = environment.get(f"{variable}_FILE")
    if not file:
        return environment.get(variable) or None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{variable}_FILE: cannot read {file}: {error}") from error


def _number(environment: Mapping[str, str], variable: str, default: int, least: int, most: int) -> int:
    text = environment.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise CannotStart(f"{variable}={text}: give a whole number from {least} to {most}.")
    return int(text)
