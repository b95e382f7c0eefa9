"""`vigilo rebuild`: makes the read model again from the topics."""

from __future__ import annotations

import asyncio
from typing import Annotated

import psycopg
import typer
from pydantic import Field, SecretStr

from services.api.projector.bounds import KafkaUnreachable
from services.api.rebuild import RebuildRefused, rebuild
from vigilo.adapters.settings import BadSettings, Settings, read

app = typer.Typer()


class RebuildSettings(Settings):
    """Settings of `vigilo rebuild`."""

    database_url: SecretStr = Field(description="PostgreSQL URL of the tables' owner (vigilo_migrator) or a superuser")


@app.command()
def rebuild_read_model(
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Rebuild though topics no longer hold all that is shown now")
    ] = False,
) -> None:
    """Make the read model again from the topics, while the API keeps answering."""
    try:
        settings = read(RebuildSettings)
        done = asyncio.run(
            rebuild(
                settings.kafka,
                settings.database_url.get_secret_value(),
                history=settings.history,
                accept_loss=accept_loss,
                say=typer.echo,
            )
        )
    except (BadSettings, RebuildRefused, KafkaUnreachable, psycopg.Error) as error:
        typer.echo(f"vigilo rebuild: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(
        f"rebuilt from {done.events} events in {done.seconds:.1f} s; the projector waited {done.paused_seconds:.2f} s"
    )
