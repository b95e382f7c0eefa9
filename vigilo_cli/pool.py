"""`vigilo pool`: which pools of scanners there are, and which workspaces may use them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import psycopg
import typer
from pydantic import Field, SecretStr

from services.api.plans import NoSuchWorkspace
from services.api.pools import PoolInUse, give, listing, take_away
from vigilo.adapters.kafka.topic_rows import BadTopicRow, load_rows
from vigilo.adapters.kafka.topics import TopicsUnusable, apply, wanted_topics
from vigilo.adapters.settings import BadSettings, Settings, read
from vigilo.events.topics import BadPoolName

app = typer.Typer(no_args_is_help=True)

_FAILURES = (
    BadSettings,
    BadTopicRow,
    BadPoolName,
    TopicsUnusable,
    NoSuchWorkspace,
    PoolInUse,
    ValueError,
    psycopg.Error,
)
Name = Annotated[str, typer.Argument(help="Name of the pool: 1-40 lower-case letters, digits and -")]
Workspace = Annotated[str, typer.Option(help="Short name of the workspace")]


class PoolSettings(Settings):
    """Settings of `vigilo pool`. Without VIGILO_DATABASE_URL, the servers of `vigilo up` in VIGILO_HOME are asked."""

    database_url: SecretStr = Field(description="PostgreSQL URL of an administrator")


@app.callback()
def pool() -> None:
    """Pools of scanners inside private networks. Needs the database and, to add one, Kafka."""


@app.command("add")
def add_pool(name: Name, workspace: Workspace) -> None:
    """Make the pool's topics if they are not there, and let the workspace use it. Safe to repeat."""
    try:
        settings = read(PoolSettings)
        _make_topics(settings, name)
        workspace_id = asyncio.run(give(_url(settings), workspace, name, at=datetime.now(UTC)))
    except _FAILURES as error:
        raise _failed(error) from error
    typer.echo(f"{workspace}: may use pool {name}. Its scanners need, beside the Kafka settings:")
    for line in _of_scanner(name, workspace_id):
        typer.echo(f"  {line}")


@app.command("remove")
def remove_pool(name: Name, workspace: Workspace) -> None:
    """Take the pool from the workspace, which must have no hosts there. Its topics stay."""
    try:
        asyncio.run(take_away(_url(read(PoolSettings)), workspace, name, at=datetime.now(UTC)))
    except _FAILURES as error:
        raise _failed(error) from error
    typer.echo(f"{workspace}: may not use pool {name}. Take its id out of its scanners' VIGILO_POOL_WORKSPACES, too.")


@app.command("list")
def list_pools() -> None:
    """Workspaces, and the pools each may use."""
    try:
        found = asyncio.run(listing(_url(read(PoolSettings))))
    except _FAILURES as error:
        raise _failed(error) from error
    for workspace, pools in found.items():
        typer.echo(f"{workspace}: {', '.join(pools)}")


def _make_topics(settings: PoolSettings, name: str) -> None:
    kafka = settings.kafka
    per_pool = [row for row in load_rows().values() if row.per_pool]
    wanted = wanted_topics(per_pool, host_partitions=kafka.host_partitions, history=settings.history, pools=[name])
    apply(kafka, wanted)


def _of_scanner(name: str, workspace_id: UUID) -> tuple[str, ...]:
    return (
        f"VIGILO_POOL={name}",
        f"VIGILO_POOL_WORKSPACES={workspace_id}   (ids of all its workspaces, by commas)",
        "VIGILO_POOL_ALLOW=...   (private networks it may scan, such as 10.0.0.0/8)",
    )


def _url(settings: PoolSettings) -> str:
    return settings.database_url.get_secret_value()


def _failed(error: Exception) -> typer.Exit:
    typer.echo(f"vigilo pool: {error}", err=True)
    return typer.Exit(1)
