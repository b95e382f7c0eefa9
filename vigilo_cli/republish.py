"""`vigilo republish`: write all configuration to Kafka again, from PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Annotated

import psycopg
import typer

from services.api.republishing import republish
from services.api.strangers import bury_strangers
from vigilo.adapters.kafka.records import ConsumerBroken
from vigilo.adapters.kafka.topics import TopicsUnusable
from vigilo.adapters.postgres import DatabaseSettings, connect
from vigilo.adapters.settings import BadSettings, KafkaSettings, read

app = typer.Typer()


@app.command()
def main(
    remove_unknown: Annotated[
        bool, typer.Option("--remove-unknown", help="Also remove from the topics what PostgreSQL does not know.")
    ] = False,
) -> None:
    """Write every host, rule, channel and workspace to its topic again; safe to repeat.

    For topics that were lost or made anew. VIGILO_DATABASE_URL is that of vigilo_api; the running API publishes.
    """
    try:
        asyncio.run(_republish(remove_unknown=remove_unknown))
    except (BadSettings, TopicsUnusable, ConsumerBroken, psycopg.Error) as error:
        typer.echo(f"republish: {error}", err=True)
        raise typer.Exit(1) from error


async def _republish(*, remove_unknown: bool) -> None:
    async with await connect(read(DatabaseSettings).url(), name="vigilo-republish") as connection:
        for topic, count in (await republish(connection)).items():
            typer.echo(f"{topic}: {count} written again")
        if remove_unknown:
            for topic, count in (await bury_strangers(connection, read(KafkaSettings))).items():
                typer.echo(f"{topic}: {count} unknown ones removed")
