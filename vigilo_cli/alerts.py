"""`vigilo alerts`: what is wrong, by way of the API."""

from __future__ import annotations

from typing import Annotated

import typer

from vigilo_cli.client import ask, everything, host_named, moment, show, table

app = typer.Typer(no_args_is_help=True)


@app.callback()
def alerts() -> None:
    """Alerts of a workspace. Asks the API: VIGILO_URL, VIGILO_TOKEN, VIGILO_WORKSPACE."""


@app.command("list")
def list_alerts(
    state: Annotated[
        list[str] | None, typer.Option(help="open, acknowledged, suppressed, pending or closed; may be given again")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Only of this host: id, name, or name:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Alerts, the newest first: those somebody should care about, unless states are given."""
    wanted = state or ["open", "acknowledged", "suppressed"]
    found = list(everything("alerts", state=wanted, host=None if host is None else host_named(host)))
    if as_json:
        show(found)
        return
    columns = {"STATE": "state", "SEVERITY": "severity", "SINCE": "since", "WHAT": "summary", "ID": "alert_id"}
    table([{**one, "since": moment(one["opened_at"])} for one in found], columns)


@app.command("ack")
def acknowledge(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its id")],
    note: Annotated[str, typer.Option(help="What others should know")] = "",
) -> None:
    """Say that you look after it: no more reminders."""
    ask("POST", f"alerts/{alert}/acknowledge", {"note": note})
