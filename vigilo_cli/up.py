"""`vigilo up`: the whole system on this machine."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command()
def up() -> None:
    """Start Kafka, PostgreSQL and all services here; Ctrl-C stops them in order.

    Set VIGILO_HOME (state folder, default .vigilo), VIGILO_PORT (8080), VIGILO_KAFKA_BOOTSTRAP and VIGILO_DATABASE_URL
    (use servers you have), VIGILO_MIN_FREE_MB (refuse to start with less disk space, 512).
    """
    from vigilo_cli.launcher.up import up as run

    raise typer.Exit(run())
