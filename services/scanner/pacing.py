"""The deeper look at a mail server: a few questions in each scan, the rest in later ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.scanner.choosing import fingerprint, to_enumerate
from services.scanner.enumerating import Endpoint, Enumeration
from services.scanner.sightings import AddressSeen, HostSeen, PostureSeen
from services.scanner.tools import Tools
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome, ScanRequested
from vigilo.events.transcript import ANSWERS_MAX, Transcript
from vigilo.tls.posture.transcript import Memory
from vigilo.tls.starttls.mail import MailService, mail_service

_SECONDS = 30.0  # a few questions; what does not fit in after slow greetings is asked the next time
_CLOSING = 1


@dataclass(frozen=True, slots=True)
class PacedLook:
    """At most `request.probes_max` questions to one address, fewer when it has had enough from us lately."""

    request: ScanRequested
    tools: Tools

    async def look(self, seen: HostSeen, endpoint_of: Callable[[AddressSeen], Endpoint]) -> PostureSeen:
        """The posture once every question is answered; until then the transcript, which goes into the snapshot."""
        chosen = self._one_of(seen)
        if chosen is None:
            return PostureSeen()
        transcript, service = self._transcript(chosen), self._service(chosen)
        granted = self.tools.manners.take(chosen.address, service, self.request.probes_max or 0)
        if granted == 0:
            return PostureSeen(transcript=transcript)
        memory = Memory(dict(transcript.answers))
        enumeration = self._enumeration(endpoint_of(chosen), memory, granted)
        try:
            posture = await enumeration.run(known_good=chosen.outcome is Outcome.OK)
        finally:
            self.tools.manners.give_back(chosen.address, service, granted - enumeration.connections)
        return _result(enumeration, posture, transcript, memory)

    def _one_of(self, seen: HostSeen) -> AddressSeen | None:
        """The address that was being asked, while it answers; else the one whose turn it is."""
        chosen = to_enumerate(self.request, seen)
        baseline = self.request.baseline
        under_way = None if baseline is None or baseline.transcript is None else baseline.transcript.address
        asked = [one for one in seen.addresses if str(one.address) == under_way and one.outcome is Outcome.OK]
        return next(iter((*asked, *chosen)), None) if chosen else None

    def _service(self, seen: AddressSeen) -> MailService:
        return mail_service(self.request.target.port, seen.protocol) or MailService.TRANSPORT

    def _transcript(self, seen: AddressSeen) -> Transcript:
        like = "/".join(part or "-" for part in fingerprint(seen))
        known = None if self.request.baseline is None else self.request.baseline.transcript
        at, address = self.request.requested_at, str(seen.address)
        if known is not None and known.continues(at=at, address=address, like=like):
            return known
        return Transcript(begun_at=at, address=address, like=like)

    def _enumeration(self, endpoint: Endpoint, memory: Memory, granted: int) -> Enumeration:
        return Enumeration(
            endpoint,
            asyncio.get_running_loop().time() + _SECONDS,
            part_from=self.tools.part_from,
            opened=self.tools.count_connection,
            turns=self.tools.courtesy.probe(endpoint.address),
            memory=memory,
            connections_max=granted,
        )


def _result(enumeration: Enumeration, posture: Posture, transcript: Transcript, memory: Memory) -> PostureSeen:
    if enumeration.unfinished:
        answers = dict(list(memory.answers.items())[:ANSWERS_MAX])
        going_on = transcript.model_copy(update={"answers": answers})
        return PostureSeen(transcript=going_on, throttled=enumeration.turned_away)
    if enumeration.contradicted:
        # These are not the answers of one server in one state: they are forgotten.
        return PostureSeen(throttled=posture.throttled)
    whole = posture.model_copy(update={"connections": len(memory.answers) + _CLOSING, "duration_ms": None})
    return PostureSeen((whole,), Depth.FULL)
