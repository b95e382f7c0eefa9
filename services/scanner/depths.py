"""How deep a scan looks: nothing but the handshake, a check that the posture is the same, or all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from services.scanner import probing
from services.scanner.choosing import to_enumerate
from services.scanner.enumerating import Endpoint, Enumeration
from services.scanner.pacing import PacedLook
from services.scanner.patience import GREETING_SECONDS
from services.scanner.sightings import AddressSeen, HostSeen, PostureSeen
from services.scanner.tools import Tools
from vigilo.events.hostnames import normalise_hostname
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome, ScanRequested
from vigilo.tls.starttls.mail import mail_service

FULL_SECONDS = 30.0  # for one address, after the light scan


@dataclass(frozen=True, slots=True)
class Depths:
    """What one scan's deeper look needs: the request, the tools, and the name to ask for (None for IP literals)."""

    request: ScanRequested
    tools: Tools
    sni: str | None

    async def look(self, seen: HostSeen) -> PostureSeen:
        """One posture for each address enumerated; none where none was asked for or can be."""
        if self.request.probes_max is not None:
            return await PacedLook(self.request, self.tools).look(seen, self._endpoint)
        chosen = to_enumerate(self.request, seen)
        postures = tuple(await asyncio.gather(*(self._enumerate(one) for one in chosen)))
        if not postures:
            return PostureSeen()
        return PostureSeen(postures, Depth.FULL, throttled=any(one.throttled for one in postures))

    async def _enumerate(self, seen: AddressSeen) -> Posture:
        deadline = asyncio.get_running_loop().time() + FULL_SECONDS
        enumeration = Enumeration(
            self._endpoint(seen),
            deadline,
            part_from=self.tools.part_from,
            opened=partial(self._note_connection, seen),
            turns=self.tools.courtesy.probe(seen.address),
        )
        return await enumeration.run(known_good=seen.outcome is Outcome.OK)

    def _endpoint(self, seen: AddressSeen) -> Endpoint:
        """How to ask this address: by the protocol in which it has just been spoken to."""
        target, protocol = self.request.target, seen.protocol or Protocol.TLS
        return Endpoint(
            seen.address,
            target.port,
            self.sni,
            probing.offers_alpn(target.port) and protocol is Protocol.TLS,
            protocol=protocol,
            own_name=self.tools.ehlo_name,
            peer_name=normalise_hostname(target.sni or target.hostname),
            greeting_seconds=GREETING_SECONDS if protocol is Protocol.SMTP else 0.0,
        )

    def _note_connection(self, seen: AddressSeen) -> None:
        self.tools.count_connection()
        service = mail_service(self.request.target.port, seen.protocol)
        if service is not None:
            self.tools.manners.note(seen.address, service)
