"""`vigilo audit`: has somebody been at the audit log?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

import psycopg
import typer

from services.api.audit.verifying import Told, Verdict, read_copies, verify
from services.api.audit.writing import TOPIC
from services.api.republishing import all_workspaces
from vigilo.adapters.kafka.records import ConsumerBroken
from vigilo.adapters.kafka.topics import TopicsUnusable, missing_topics
from vigilo.adapters.postgres import Connection, DatabaseSettings, connect
from vigilo.adapters.settings import BadSettings, KafkaSettings, read
from vigilo.events.text import visible

app = typer.Typer(name="audit", help="The audit log.", no_args_is_help=True)

_FLAWED: Final = 1
_UNDECIDED: Final = 2
_SHOWN: Final = 20


class UnknownWorkspace(Exception):
    """There is no workspace of that id or short name."""


@app.callback()
def audit() -> None:
    """The audit log."""


@app.command("verify")
def verify_command(
    workspace: Annotated[str | None, typer.Option(help="Only this one, by id or short name.")] = None,
    against_topic: Annotated[
        bool, typer.Option("--against-topic", help="Also compare with the copy on the topic `audit`.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Give up reading the topic after so many seconds.")] = 300,
) -> None:
    """Check every workspace's chain of audit entries: altered, missing, out of place.

    Only the comparison with the topic finds a table that was chained again from the start. VIGILO_DATABASE_URL is that
    of vigilo_api. Exit code: 0 all whole, 1 something was found, 2 it could not be checked.
    """
    try:
        flaws = asyncio.run(_verify(workspace, timedelta(seconds=timeout) if against_topic else None))
    except TimeoutError as error:
        typer.echo(f"audit verify: the topic was not read to its end within {timeout:g} s: --timeout", err=True)
        raise typer.Exit(_UNDECIDED) from error
    except (BadSettings, UnknownWorkspace, TopicsUnusable, ConsumerBroken, psycopg.Error) as error:
        typer.echo(f"audit verify: {error}", err=True)
        raise typer.Exit(_UNDECIDED) from error
    if flaws:
        typer.echo(f"audit verify: {flaws} flaws", err=True)
        raise typer.Exit(_FLAWED)


async def _verify(workspace: str | None, timeout: timedelta | None) -> int:
    told = None if timeout is None else await _copies(read(KafkaSettings), timeout)
    async with await connect(read(DatabaseSettings).url(), name="vigilo-audit-verify") as connection:
        flaws = 0
        for workspace_id in await _chosen(connection, workspace, told):
            verdict = await verify(connection, workspace_id, told)
            typer.echo(summary(workspace_id, verdict))
            for line in flaw_lines(verdict):
                typer.echo(line)
            flaws += len(verdict.findings)
    for where in [] if told is None else told.unreadable:
        typer.echo(f"  no audit entry: {visible(where, limit=300)}")
        flaws += 1
    return flaws


async def _copies(kafka: KafkaSettings, timeout: timedelta) -> Told:
    if missing_topics(kafka, [TOPIC]):
        raise TopicsUnusable(f"there is no topic {kafka.physical(TOPIC)}: `vigilo topics apply`")
    return await read_copies(kafka, timeout=timeout)


async def _chosen(connection: Connection, workspace: str | None, told: Told | None) -> list[UUID]:
    # One that only the topic knows was removed from the database, its chain with it.
    known = {*await all_workspaces(connection), *(told.copies if told else ())}
    if workspace is None:
        return sorted(known)
    row = await (await connection.execute("select config.workspace_by_slug(%s) as id", (workspace,))).fetchone()
    chosen = [one for one in known if str(one) == workspace.lower() or (row is not None and one == row["id"])]
    if not chosen:
        raise UnknownWorkspace(f"there is no workspace {visible(workspace, limit=80)}")
    return chosen


def summary(workspace_id: UUID, verdict: Verdict) -> str:
    """One line: how long the chain is, where it ends, whether it is whole."""
    state = "whole" if not verdict.findings else f"{len(verdict.findings)} flaws"
    line = f"{workspace_id}: {verdict.entries} entries, {state}; head {verdict.head.sequence} {verdict.head.hash}"
    if verdict.compared is None:
        return line
    return f"{line}; {verdict.compared} as on the topic, {verdict.unpublished} not there yet"


def flaw_lines(verdict: Verdict) -> list[str]:
    """One line per flaw, the first ones."""
    shown = [f"  entry {one.sequence}: {one.flaw.value}: {one.detail}" for one in verdict.findings[:_SHOWN]]
    left = len(verdict.findings) - _SHOWN
    return [*shown, f"  ... and {left} more"] if left > 0 else shown
