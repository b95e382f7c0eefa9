"""`vigilo quota`: how many scans a day a workspace may plan."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import typer
from pydantic import Field, SecretStr

from services.api.plans import NoSuchWorkspace, grant
from vigilo.adapters.settings import BadSettings, Settings, read

app = typer.Typer(no_args_is_help=True)


class QuotaSettings(Settings):
    """Settings of `vigilo quota`. Without VIGILO_DATABASE_URL, the database of `vigilo up` in VIGILO_HOME is asked."""

    database_url: SecretStr = Field(description="PostgreSQL URL of an administrator")


@app.callback()
def quota() -> None:
    """Plans of workspaces. Needs the database: VIGILO_DATABASE_URL, or the VIGILO_HOME of a running `vigilo up`."""


@app.command("set")
def set_quota(
    workspace: Annotated[str, typer.Argument(help="Short name of the workspace")],
    scans_per_day: Annotated[str, typer.Argument(help="A whole number, or `unlimited`")],
) -> None:
    """Say how many scans a day a workspace may plan. Hosts it has already stay as they are."""
    try:
        before = asyncio.run(
            grant(
                read(QuotaSettings).database_url.get_secret_value(),
                workspace,
                _number(scans_per_day),
                at=datetime.now(UTC),
            )
        )
    except (BadSettings, NoSuchWorkspace, psycopg.Error) as error:
        typer.echo(f"vigilo quota: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{workspace}: {scans_per_day} scans a day (before: {'unlimited' if before is None else before})")


def _number(text: str) -> int | None:
    if text == "unlimited":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise typer.BadParameter("a whole number of scans a day, or `unlimited`")
    return int(text)
