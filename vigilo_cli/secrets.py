"""`vigilo secrets`: new keys for what is sealed in the database."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final

import psycopg
import typer

from services.api.database_roles import API
from services.api.resealing import KINDS, Rotated, rotate
from vigilo.adapters.postgres import DatabaseSettings, connect
from vigilo.adapters.secrets import BadKeys, SecretSettings, new_key
from vigilo.adapters.settings import BadSettings, read
from vigilo_cli.launcher.services import SECRET_KEYS

app = typer.Typer(no_args_is_help=True)

_KEYS: Final = "VIGILO_SECRET_KEYS"


class RotationSettings(DatabaseSettings, SecretSettings):
    """Settings of `vigilo secrets`: the database's, and VIGILO_SECRET_KEYS with the new key in front."""


@app.callback()
def secrets() -> None:
    """Keys of secrets at rest: addresses and keys of channels, and answers that showed a secret."""
    kept = Path(os.environ.get("VIGILO_HOME") or ".vigilo").absolute() / SECRET_KEYS
    if kept.exists() and not any(os.environ.get(name) for name in (_KEYS, f"{_KEYS}_FILE")):
        os.environ[f"{_KEYS}_FILE"] = str(kept)  # those of `vigilo up`


@app.command("new-key")
def print_new_key(
    key_id: Annotated[str, typer.Argument(help="Its id, such as 2026-12: letters, digits, dots, dashes")],
) -> None:
    """Print a fresh key as an entry of VIGILO_SECRET_KEYS."""
    typer.echo(new_key(key_id))


@app.command("rotate")
def rotate_secrets() -> None:
    """Seal everything with the first key of VIGILO_SECRET_KEYS; safe to repeat, and beside running services.

    Give the new key in front to every service first. Afterwards the old ones can be taken away.
    """
    try:
        done = asyncio.run(_rotate(read(RotationSettings)))
    except (BadSettings, BadKeys, psycopg.Error) as error:
        typer.echo(f"vigilo secrets: {error}", err=True)
        raise typer.Exit(1) from error
    for kind in KINDS:
        typer.echo(f"{kind.name}: {done.resealed[kind.name]} sealed again")
    for key_id, count in sorted(done.left.items()):
        typer.echo(f"key {key_id}: {count} left that these keys do not open", err=True)
    if done.left:
        raise typer.Exit(1)
    typer.echo("nothing is left under another key")


async def _rotate(settings: RotationSettings) -> Rotated:
    async with await connect(settings.url(), name="vigilo-secrets", role=API) as connection:
        return await rotate(connection, settings.box())
