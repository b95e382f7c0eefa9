"""A TLS server of the standard library that picks the certificate by the name asked for, and may want one.

One context for all its connections: tickets can be resumed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.connections import accepting
from tests.fakes.pki import Issued


@dataclass(slots=True)
class Sessions:
    """What the server does, and how many came; `nameless` is served to those who ask for no name, None refuses them."""

    leaf: Issued
    nameless: Issued | None = None
    accepted: int = 0
    completed: int = 0
    errors: list[str] = field(default_factory=list)


@contextlib.contextmanager
def session_server(sessions: Sessions, folder: Path) -> Iterator[int]:
    """Its port on loopback; `folder` is for its keys."""
    named = _context(sessions, sessions.leaf, folder)
    other = None if sessions.nameless is None else _context(sessions, sessions.nameless, folder)

    def by_name(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is not None:
            connection.context = named
            return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if other is None else None

    door = other or named
    door.sni_callback = by_name

    def serve(connection: socket.socket) -> None:
        sessions.accepted += 1
        connection.settimeout(5)
        try:
            with door.wrap_socket(connection, server_side=True) as tls:
                sessions.completed += 1
                tls.recv(100)
        except (OSError, ValueError) as error:
            sessions.errors.append(str(error))

    with accepting(serve) as port:
        yield port


def _context(sessions: Sessions, leaf: Issued, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.load_into(context, folder)
    return context
