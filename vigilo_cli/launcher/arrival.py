"""What a person is told once everything runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from vigilo_cli.launcher.home import Home


def where_to_go(home: Home, port: int, *, seconds: float, link: str | None = None) -> Iterator[str]:
    """The address, a sign-in link, where the owner's token is (never the token itself), a command that adds a host."""
    base = f"http://127.0.0.1:{port}"
    token = shlex.quote(shown(home.owner_token))
    yield ""
    yield f"Vigilo is ready after {seconds:.0f} s: {base}"
    if link is not None:
        yield f"Sign in with this link (once, within 10 minutes): {link}"
    yield f"The owner's API token is in {shown(home.owner_token)} (only you can read it). Add a host:"
    yield ""
    yield f"  curl {base}/api/v1/workspaces/default/hosts \\"
    yield f'    -H "Authorization: Bearer $(cat {token})" \\'
    yield """    -H 'Content-Type: application/json' -d '{"hostname": "example.org"}'"""
    yield ""
    yield f"API reference: {base}/api/v1/docs   Logs: {shown(home.logs)}"
    yield f"Ctrl-C stops everything; data stay in {shown(home.root)}."


def shown(path: Path) -> str:
    """The path as short as it can be typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
