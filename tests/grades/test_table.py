"""Every row of the table: its server is scanned in full, and both rulebooks say what the sources demand."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.scan_requests import full_request
from tests.grades.certificates import Certificates
from tests.grades.rows import Row
from tests.grades.servers import serving
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Snapshot


class Lab:
    """Certificates, and one full scan of each row that is asked for."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates()
        self._folder = folder
        self._snapshots: dict[str, Snapshot] = {}

    def snapshot(self, row: Row) -> Snapshot:
        """The full scan of the row's server."""
        if row.id not in self._snapshots:
            folder = self._folder / str(len(self._snapshots))
            folder.mkdir()
            self._snapshots[row.id] = asyncio.run(self._scan(row, folder))
        return self._snapshots[row.id]

    async def _scan(self, row: Row, folder: Path) -> Snapshot:
        resolver = SystemResolver(threads=2)
        tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["127.0.0.0/8"])), name="table")
        try:
            with serving(row, self.certificates, folder) as place:
                request = full_request(
                    row.name or place.address,
                    place.port,
                    address=place.address,
                    trust=row.trust,
                    protocol=Protocol.AUTO,
                )
                return await scan_target(request, tools)
        finally:
            await tools.close()
            resolver.close()
