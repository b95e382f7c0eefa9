"""`vigilo hosts`: what is watched, by way of the API."""

from __future__ import annotations

from typing import Annotated

import typer

from vigilo_cli.client import ask, endpoint, everything, host_named, moment, show, table

app = typer.Typer(no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="HOST", help="Its id, name, or name:port")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.callback()
def hosts() -> None:
    """Hosts of a workspace. Asks the API: VIGILO_URL, VIGILO_TOKEN, VIGILO_WORKSPACE."""


@app.command("list")
def list_hosts(
    tag: Annotated[str | None, typer.Option(help="Only hosts with this tag")] = None, as_json: AsJson = False
) -> None:
    """All hosts, by name."""
    found = list(everything("hosts", tag=tag))
    if as_json:
        show(found)
        return
    rows = [{**one, "snoozed": moment((one["snooze"] or {}).get("until"))} for one in found]
    columns = {"HOST": "hostname", "PORT": "port", "EVERY": "interval", "STATUS": "status", "TAGS": "tags"}
    table(rows, {**columns, "SNOOZED UNTIL": "snoozed", "ID": "host_id"})


@app.command("add")
def add_host(
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="Name or address")],
    interval: Annotated[str, typer.Option(help="5m, 15m, 1h, 6h or 24h")] = "1h",
    tag: Annotated[list[str] | None, typer.Option(help="A label; may be given again")] = None,
    owner: Annotated[str | None, typer.Option(help="Who looks after it")] = None,
) -> None:
    """Watch a host; its first scan starts at once."""
    wanted = endpoint(host)
    place = {"hostname": wanted.hostname, "port": wanted.port}
    body = {**place, "interval": interval, "tags": tag or [], "owner": owner}
    typer.echo(ask("POST", "hosts", body)["host_id"])


@app.command("pause")
def pause_host(host: Which) -> None:
    """Stop scanning for now; its open alerts are closed."""
    ask("POST", f"hosts/{host_named(host)}/pause")


@app.command("resume")
def resume_host(host: Which) -> None:
    """Scan again, at once and then by its interval."""
    ask("POST", f"hosts/{host_named(host)}/resume")


@app.command("snooze")
def snooze_host(
    host: Which,
    length: Annotated[str, typer.Option("--for", help="1h, 1d, 1w, or an ISO 8601 duration")] = "1h",
    reason: Annotated[str, typer.Option(help="Why")] = "",
    end: Annotated[bool, typer.Option("--end", help="End it instead")] = False,
) -> None:
    """Hold back its alerts for a while; it is scanned as before."""
    path = f"hosts/{host_named(host)}/snooze"
    if end:
        ask("DELETE", path)
    else:
        typer.echo(f"until {moment(ask('POST', path, {'for': length, 'reason': reason})['snooze']['until'])}")
