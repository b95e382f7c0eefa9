"""What the scans of one process share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from OpenSSL import SSL

from services.scanner.connect import part
from services.scanner.conversation import Conversation
from services.scanner.courtesy import Courtesy
from services.scanner.handshake import make_context
from services.scanner.manners import Manners
from services.scanner.resolve import Resolver
from services.scanner.vulnerabilities import Probes
from vigilo.adapters.egress import ScanEgress
from vigilo.tls.starttls.protocols import Farewell


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Tools:
    """What a scan works with; one per process, shared by all its scans. `name` is the scanner's own.

    `ehlo_name` is what it calls itself to mail servers; None = its address in brackets. `probes` says which known holes
    full scans ask about. `manners` counts what mail servers have had to bear from this process.
    """

    resolver: Resolver
    egress: ScanEgress
    name: str
    context: SSL.Context = field(default_factory=make_context)
    now: Callable[[], datetime] = _utc_now
    ehlo_name: str | None = None
    probes: Probes = field(default_factory=Probes)
    courtesy: Courtesy = field(default_factory=Courtesy)
    manners: Manners = field(default_factory=lambda: Manners(_utc_now, since=_utc_now()))
    connections: int = 0
    _partings: set[asyncio.Task[None]] = field(default_factory=set)

    def part_from(
        self, connection: socket.socket, conversation: Conversation | None = None, farewell: Farewell | None = None
    ) -> None:
        """Says goodbye (inside TLS if there is a conversation) and closes, in the background: nobody waits for it."""
        leaving = part(connection) if conversation is None else conversation.leave(farewell)
        task = asyncio.create_task(leaving)
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)

    def count_connection(self) -> None:
        """One more connection is tried."""
        self.connections += 1

    async def close(self) -> None:
        """Waits until all connections are closed; a second at most, by their own limit."""
        await asyncio.gather(*self._partings, return_exceptions=True)
