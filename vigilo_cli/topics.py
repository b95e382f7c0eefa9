"""`vigilo topics`: bring the topics to what schemas/topics says."""

from __future__ import annotations

from typing import Annotated

import typer

from vigilo.adapters.kafka.topic_rows import BadTopicRow, load_rows
from vigilo.adapters.kafka.topics import Action, TopicOutcome, TopicsUnusable, apply, wanted_topics
from vigilo.adapters.settings import BadSettings, Settings, read
from vigilo.events.topics import BadPoolName

app = typer.Typer(name="topics", help="Topics as schemas/topics/*.yaml wants them.", no_args_is_help=True)


@app.callback()
def topics() -> None:
    """Topics as schemas/topics/*.yaml wants them."""


@app.command("apply")
def apply_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    pool: Annotated[list[str] | None, typer.Option(help="Also create this scanner pool's pair of topics.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not list unchanged topics.")] = False,
) -> None:
    """Create missing topics and alter settings that differ; safe to repeat. Never deletes, never adds partitions."""
    try:
        settings = read(Settings)
        wanted = wanted_topics(
            load_rows().values(),
            host_partitions=settings.kafka.host_partitions,
            history=settings.history,
            pools=pool or (),
        )
        outcomes = apply(settings.kafka, wanted, dry_run=dry_run)
    except (BadSettings, BadTopicRow, BadPoolName, TopicsUnusable) as error:
        typer.echo(f"topics apply: {error}", err=True)
        raise typer.Exit(1) from error
    for line in report(outcomes, settings.kafka.topic_prefix, dry_run=dry_run, quiet=quiet):
        typer.echo(line)


def report(outcomes: list[TopicOutcome], prefix: str, *, dry_run: bool, quiet: bool) -> list[str]:
    """One line per topic and one that counts them."""
    lines = []
    for outcome in outcomes:
        if quiet and outcome.action is Action.UNCHANGED:
            continue
        changes = ", ".join(f"{name} {old or '(unset)'} -> {new}" for name, (old, new) in outcome.changes.items())
        lines.append(
            f"{outcome.action:<9}  {prefix}{outcome.name} ({outcome.partitions})" + (f"  {changes}" if changes else "")
        )
    counts = ", ".join(f"{sum(o.action is action for o in outcomes)} {action}" for action in Action)
    return [*lines, f"{'would be: ' if dry_run else ''}{counts}"]
