"""The `vigilo` command. Each command lives in a module of its own, imported only when it is asked for.

A command module has `app`, a typer.Typer: with one command it is that command, with a callback it is a group.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS = {
    "up": "vigilo_cli.up",
    "scan": "vigilo_cli.scan",
    "hosts": "vigilo_cli.hosts",
    "rules": "vigilo_cli.rules",
    "alerts": "vigilo_cli.alerts",
    "topics": "vigilo_cli.topics",
    "dlq": "vigilo_cli.dlq",
    "user": "vigilo_cli.user",
    "quota": "vigilo_cli.quota",
    "pool": "vigilo_cli.pool",
    "secrets": "vigilo_cli.secrets",
    "republish": "vigilo_cli.republish",
    "rebuild": "vigilo_cli.rebuild",
    "regrade": "vigilo_cli.regrade",
    "audit": "vigilo_cli.audit",
    "config": "vigilo_cli.config",
}
# These speak to the servers of an installation; the others start one, ask its API, need none, or show what is set.
LOOKING_AFTER = frozenset(COMMANDS) - {"up", "scan", "config", "hosts", "rules", "alerts"}
COMPLETION = {"install_completion", "show_completion"}


class Lazy(TyperGroup):
    """Knows its commands' names; learns the rest of one when it is used or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, its module imported now; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command = get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        command.params = [option for option in command.params if option.name not in COMPLETION]  # once, at the top
        return command


app = typer.Typer(cls=Lazy, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def vigilo(context: typer.Context) -> None:
    """TLS certificates and postures, watched."""
    if context.invoked_subcommand in LOOKING_AFTER:
        from vigilo_cli.local import local_servers

        os.environ.update(local_servers(os.environ))


if __name__ == "__main__":
    app()
