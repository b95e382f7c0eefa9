"""`vigilo republish`: write all configuration to Kafka again, from PostgreSQL."""

from __future__ import annotations

import asyncio

import psycopg
import typer

from services.api.relay import republish_everything
from vigilo.adapters.postgres import DatabaseSettings
from vigilo.adapters.settings import BadSettings, read

app = typer.Typer()


@app.command()
def republish() -> None:
    """Write every host, rule, channel and workspace to its topic again; safe to repeat.

    For topics that were lost or made anew. VIGILO_DATABASE_URL is that of vigilo_api; the running API publishes.
    """
    try:
        counts = asyncio.run(republish_everything(read(DatabaseSettings).url()))
    except (BadSettings, psycopg.Error) as error:
        typer.echo(f"republish: {error}", err=True)
        raise typer.Exit(1) from error
    for topic, count in counts.items():
        typer.echo(f"{topic}: {count}")
