"""How deep a scan looks: nothing but the handshake, a check that the posture is the same, or all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.scanner import probing
from services.scanner.choosing import to_enumerate
from services.scanner.enumerating import Endpoint, Enumeration
from services.scanner.sightings import AddressSeen, HostSeen, PostureSeen
from services.scanner.tools import Tools
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome, ScanRequested

FULL_SECONDS = 30.0  # for one address, after the light scan


@dataclass(frozen=True, slots=True)
class Depths:
    """What one scan's deeper look needs: the request, the tools, and the name to ask for (None for IP literals)."""

    request: ScanRequested
    tools: Tools
    sni: str | None

    async def look(self, seen: HostSeen) -> PostureSeen:
        """One posture for each address enumerated; none where none was asked for or can be."""
        chosen = to_enumerate(self.request, seen)
        postures = tuple(await asyncio.gather(*(self._enumerate(one) for one in chosen)))
        if not postures:
            return PostureSeen()
        return PostureSeen(postures, Depth.FULL, throttled=any(one.throttled for one in postures))

    async def _enumerate(self, seen: AddressSeen) -> Posture:
        port, tools = self.request.target.port, self.tools
        endpoint = Endpoint(seen.address, port, self.sni, probing.offers_alpn(port))
        deadline = asyncio.get_running_loop().time() + FULL_SECONDS
        enumeration = Enumeration(
            endpoint,
            deadline,
            part_from=tools.part_from,
            opened=tools.count_connection,
            turns=tools.courtesy.probe(seen.address),
        )
        return await enumeration.run(known_good=seen.outcome is Outcome.OK)
