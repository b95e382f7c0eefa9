"""Asks the API for `vigilo hosts|rules|alerts`: where it is, who asks, and what it says when it refuses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import typer
from pydantic import Field, SecretStr

from vigilo.adapters.settings import BadSettings, EnvironmentSettings, read
from vigilo.events.text import visible
from vigilo.tls.endpoint import HTTPS_PORT, Endpoint, InvalidEndpoint, parse_endpoint

_TIMEOUT_SECONDS: Final = 30.0
_CELL: Final = 120
_ANY_PORT: Final = 0


class ClientSettings(EnvironmentSettings):
    """Where the API is and who asks it."""

    url: str | None = Field(None, description="`vigilo hosts|rules|alerts`: the API; default: this machine's")
    token: SecretStr | None = Field(None, description="Their token; default: the file owner-token in VIGILO_HOME")
    workspace: str = Field("default", description="Their workspace, by its short name")
    home: Path = Field(Path(".vigilo"), description="State folder of `vigilo up`")

    def base(self) -> str:
        """Where the workspace is found."""
        root = self.url or f"http://127.0.0.1:{os.environ.get('VIGILO_PORT') or 8080}"
        return f"{root.rstrip('/')}/api/v1/workspaces/{self.workspace}/"

    def secret(self) -> str:
        """The token. Raises OSError without one."""
        if self.token is not None:
            return self.token.get_secret_value()
        return (self.home / "owner-token").read_text(encoding="ascii").strip()


def ask(method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
    """What the API answers, None for no content. What it refuses is printed, and ends the command with status 1."""
    try:
        settings = read(ClientSettings)
        headers = {"Authorization": f"Bearer {settings.secret()}"}
        with httpx.Client(base_url=settings.base(), headers=headers, timeout=_TIMEOUT_SECONDS) as client:
            answer = client.request(method, path, json=body, params=_given(query))
    except (BadSettings, OSError, httpx.HTTPError, ValueError) as error:
        raise _failed(str(error)) from error
    if answer.is_error:
        raise _failed(*_refusal(answer))
    return answer.json() if answer.content else None


def everything(path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """All items of a list, page after page."""
    cursor: str | None = None
    while True:
        page = ask("GET", path, **query, limit=200, cursor=cursor)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def host_named(text: str) -> str:
    """The id of the host with that id, or with that name and port (`www.example.com`, `www.example.com:8443`)."""
    try:
        return str(UUID(text))
    except ValueError:
        wanted = endpoint(text, default_port=_ANY_PORT)
    found = [
        one
        for one in everything("hosts", q=wanted.hostname)
        if one["hostname"] == wanted.hostname and wanted.port in {_ANY_PORT, one["port"]}
    ]
    if len(found) == 1:
        return str(found[0]["host_id"])
    raise _failed(f"there is no host {text}" if not found else f"there are {len(found)} hosts {text}: give the id")


def endpoint(text: str, *, default_port: int = HTTPS_PORT) -> Endpoint:
    """HOST[:PORT] as it is kept. What is none is told, and ends the command with status 1."""
    try:
        return parse_endpoint(text, default_port=default_port)
    except InvalidEndpoint as error:
        raise _failed(str(error)) from error


def show(document: Any) -> None:
    """As indented JSON."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=True))


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """The rows with these columns (heading: field), each as wide as it must be."""
    lines = [list(columns), *([_cell(row.get(field)) for field in columns.values()] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def moment(instant: str | None) -> str | None:
    """An instant of the API's for people: `2026-11-24 02:00:03 UTC`."""
    return None if instant is None else f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _cell(value: object) -> str:
    if isinstance(value, list):
        return _cell(", ".join(str(one) for one in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == "" else visible(str(value), limit=_CELL)


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, [], ())}


def _refusal(answer: httpx.Response) -> Iterator[str]:
    try:
        problem = answer.json()
        yield str(problem["detail"])
        for error in problem.get("errors") or ():
            yield f"  {error['field']}: {error['problem']}; allowed: {error['allowed']}"
    except (ValueError, KeyError, TypeError):
        yield f"the API answered {answer.status_code}"


def _failed(*lines: str) -> typer.Exit:
    for number, line in enumerate(lines):
        typer.echo(visible(line if number else f"vigilo: {line}", limit=1_000), err=True)
    return typer.Exit(1)
