"""How deep a scan looks: nothing but the handshake, a check that the posture is the same, or all of it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from services.scanner import probing
from services.scanner.checking import POSTURE_SECONDS, Checking
from services.scanner.choosing import to_enumerate, to_enumerate_too
from services.scanner.connect import connect
from services.scanner.enumerating import CONNECTIONS_MAX, Endpoint, Enumeration
from services.scanner.pacing import PacedLook
from services.scanner.patience import GREETING_SECONDS
from services.scanner.sightings import AddressSeen, HostSeen, PostureSeen
from services.scanner.tools import Tools
from services.scanner.unchanged import conclude, to_check
from services.scanner.vulnerabilities import Examination
from vigilo.events.hostnames import normalise_hostname
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome, ScanRequested
from vigilo.tls.posture.check import Verdict
from vigilo.tls.posture.describe import describe_posture
from vigilo.tls.starttls.mail import mail_service

# MySQL blocks a client after 100 connections in a row without a login (max_connect_errors).
MYSQL_MAX = 80
FULL_SECONDS = 30.0  # for one address, after the light scan
_ALL_SECONDS = 56.0  # 60 for a host, of which the light scan has had 4 at most

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Depths:
    """What one scan's deeper look needs: the request, the tools, and the name to ask for (None for IP literals)."""

    request: ScanRequested
    tools: Tools
    sni: str | None

    async def look(self, seen: HostSeen) -> PostureSeen:
        """What a check proved, or one posture for each address enumerated; none where none was asked for or can be."""
        if self.request.probes_max is not None:
            return await PacedLook(self.request, self.tools).look(seen, self._endpoint)
        until = asyncio.get_running_loop().time() + _ALL_SECONDS
        if self.request.depth is Depth.POSTURE and (checked := await self._check(seen, until)) is not None:
            return checked
        postures = await self._enumerate_all(to_enumerate(self.request, seen), until)
        postures += await self._enumerate_all(to_enumerate_too(self.request, seen, postures), until)
        if not postures:
            return PostureSeen()
        return PostureSeen(postures, Depth.FULL, throttled=any(one.throttled for one in postures))

    async def _check(self, seen: HostSeen, until: float) -> PostureSeen | None:
        """What the check came to; None when a full scan is due in its place."""
        pairs = to_check(self.request, seen)
        if not pairs:
            return None
        verdicts = await asyncio.gather(*(self._check_one(one, posture, until) for one, posture in pairs))
        for (one, _), verdict in zip(pairs, verdicts, strict=True):
            if verdict.what:
                _log.info("posture of %s is %s: %s", one.address, verdict.sameness, "; ".join(verdict.what))
        return conclude(pairs, verdicts)

    async def _check_one(self, seen: AddressSeen, before: Posture, until: float) -> Verdict:
        deadline = min(until, asyncio.get_running_loop().time() + POSTURE_SECONDS)
        checking = Checking(
            self._endpoint(seen),
            deadline,
            part_from=self.tools.part_from,
            opened=partial(self._note_connection, seen),
            turns=self.tools.courtesy.probe(seen.address),
        )
        return await checking.run(before, seed=self.request.requested_at.isoformat())

    async def _enumerate_all(self, chosen: Sequence[AddressSeen], until: float) -> tuple[Posture, ...]:
        return tuple(await asyncio.gather(*(self._enumerate(one, until) for one in chosen)))

    async def _enumerate(self, seen: AddressSeen, until: float) -> Posture:
        deadline = min(until, asyncio.get_running_loop().time() + FULL_SECONDS)
        enumeration = Enumeration(
            self._endpoint(seen),
            deadline,
            part_from=self.tools.part_from,
            opened=partial(self._note_connection, seen),
            turns=self.tools.courtesy.probe(seen.address),
            connections_max=MYSQL_MAX if seen.protocol is Protocol.MYSQL else CONNECTIONS_MAX,
        )
        async with asyncio.TaskGroup() as both:
            enumerating = both.create_task(enumeration.run(known_good=seen.outcome is Outcome.OK))
            examining = both.create_task(self._examine(enumeration))
        posture, examination = enumerating.result(), examining.result()
        return posture if examination is None else examination.conclude(posture)

    async def _examine(self, enumeration: Enumeration) -> Examination | None:
        """Known holes, as soon as it is known which are possible. Not after STARTTLS: mail servers ban for less."""
        endpoint, deadline, tools = enumeration.endpoint, enumeration.deadline, self.tools
        if endpoint.protocol is not Protocol.TLS:
            return None

        async def open_connection() -> socket.socket:
            tools.count_connection()
            return await connect(endpoint.address, endpoint.port, deadline=deadline)

        older = describe_posture(await enumeration.older, address=str(endpoint.address), connections=0, duration_ms=0)
        turns = tools.courtesy.probe(endpoint.address)
        examination = Examination(
            older, tools.probes, open_connection, tools.part_from, endpoint.sni, deadline, turns=turns
        )
        await examination.run()
        return examination

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
            self.tools.manners.note_all(seen.address, service)
