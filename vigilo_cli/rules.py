"""`vigilo rules`: when to alert, by way of the API."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from vigilo_cli.client import ask, everything, moment, show, table

app = typer.Typer(no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="RULE", help="Its id")]


@app.callback()
def rules() -> None:
    """Alert rules of a workspace. Asks the API: VIGILO_URL, VIGILO_TOKEN, VIGILO_WORKSPACE."""


@app.command("list")
def list_rules(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """All rules, in the order they were made."""
    found = list(everything("rules"))
    if as_json:
        show(found)
        return
    rows = [
        {
            **one,
            "kind": one["trigger"]["kind"],
            "hosts": _scope(one["scope"]),
            "snoozed": moment(one["snoozed_until"]),
        }
        for one in found
    ]
    columns = {"RULE": "name", "TRIGGER": "kind", "HOSTS": "hosts", "SEVERITY": "severity", "ENABLED": "enabled"}
    table(rows, {**columns, "SNOOZED UNTIL": "snoozed", "ID": "rule_id"})


@app.command("show")
def show_rule(rule: Which) -> None:
    """One rule, as JSON."""
    show(ask("GET", f"rules/{rule}"))


@app.command("add")
def add_rule(
    name: Annotated[str, typer.Argument(help="What it is called")],
    trigger: Annotated[str, typer.Option(help="Such as expires-in-less-than, unreachable, grade-below")],
    severity: Annotated[str, typer.Option(help="info, warning or critical")] = "warning",
    parameter: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Of the trigger, such as days=30")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Only hosts with this tag; default: all")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Id of a channel; may be given again")] = None,
) -> None:
    """Add a rule; every host in its scope is judged at once."""
    asked = {"kind": trigger, **dict(_parameter(one) for one in parameter or ())}
    scope = {"kind": "all"} if tag is None else {"kind": "tag", "tag": tag}
    body = {"name": name, "trigger": asked, "severity": severity, "scope": scope, "channels": channel or []}
    made = ask("POST", "rules", body)
    for warning in made["warnings"]:
        typer.echo(f"note: {warning}", err=True)
    typer.echo(made["rule_id"])


@app.command("snooze")
def snooze_rule(
    rule: Which,
    length: Annotated[str, typer.Option("--for", help="1h, 1d, 1w, or an ISO 8601 duration")] = "1h",
    reason: Annotated[str, typer.Option(help="Why")] = "",
    end: Annotated[bool, typer.Option("--end", help="End it instead")] = False,
) -> None:
    """Hold back its alerts for a while; hosts are judged as before."""
    path = f"rules/{rule}/snooze"
    if end:
        ask("DELETE", path)
    else:
        typer.echo(f"until {moment(ask('POST', path, {'for': length, 'reason': reason})['until'])}")


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _scope(scope: dict[str, Any]) -> str:
    return {"tag": f"tag {scope.get('tag')}", "host": f"host {scope.get('host_id')}"}.get(scope["kind"], "all")
