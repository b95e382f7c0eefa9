"""`vigilo user`: who can sign in, and the way back in for who cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import typer
from pydantic import Field, SecretStr

from services.api.signin.reset import NoSuchAccount, list_users, reset
from services.api.signin.settings import SignInSettings
from vigilo.adapters.settings import BadSettings, Settings, read
from vigilo.events.text import visible

app = typer.Typer(no_args_is_help=True)


class UserSettings(Settings, SignInSettings):
    """Settings of `vigilo user`. Without VIGILO_DATABASE_URL, the database of `vigilo up` in VIGILO_HOME is asked."""

    port: int = Field(8080, ge=1, le=65535, description="Port of the API, for links where VIGILO_PUBLIC_URL is not set")
    database_url: SecretStr = Field(description="PostgreSQL URL of an administrator")


@app.callback()
def user() -> None:
    """People who can sign in. Needs the database: VIGILO_DATABASE_URL, or the VIGILO_HOME of a running `vigilo up`."""


@app.command("reset")
def reset_user(
    email: Annotated[str, typer.Argument(help="Address of a local account")],
    owner_of: Annotated[
        str | None, typer.Option("--owner-of", help="Make it an owner of this workspace, and make it if needed")
    ] = None,
) -> None:
    """Print a one-time sign-in link (10 minutes); the password is removed and all sessions end."""
    with _told():
        settings = read(UserSettings)
        link = asyncio.run(
            reset(
                settings.database_url.get_secret_value(),
                email,
                owner_of=owner_of,
                public_url=_public_url(settings),
                at=datetime.now(UTC),
            )
        )
        typer.echo(link)


@app.command("list")
def list_all() -> None:
    """List every user: address, name, how he signs in, workspaces and roles."""
    with _told():
        for one in asyncio.run(list_users(read(UserSettings).database_url.get_secret_value())):
            places = " ".join(one.places) or "-"
            state = " disabled" if one.disabled else ""
            shown = (one.email or "-", visible(one.name), visible(one.signs_in_with), places)
            typer.echo("  ".join(shown) + state)


def _public_url(settings: UserSettings) -> str:
    return settings.public_url if "public_url" in settings.model_fields_set else f"http://127.0.0.1:{settings.port}"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (BadSettings, NoSuchAccount, psycopg.Error) as error:
        typer.echo(f"vigilo user: {error}", err=True)
        raise typer.Exit(1) from error
