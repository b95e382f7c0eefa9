"""One light scan from request to snapshot: resolve, check, connect, shake hands; every end is an outcome."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from services.scanner import probing
from services.scanner.approach import Approach
from services.scanner.connect import connect
from services.scanner.depths import Depths
from services.scanner.dialogue import DialogueFailed
from services.scanner.hsts import Question, ask_for_hsts
from services.scanner.more_handshakes import MORE_SECONDS, MoreHandshakes, MoreSeen, to_ask
from services.scanner.patience import greeting_seconds, words_for_haste
from services.scanner.resolve import find_addresses
from services.scanner.sightings import Address, AddressSeen, HostSeen, PostureSeen, Unsuccessful
from services.scanner.tls_failed import TlsFailed
from services.scanner.tools import Tools
from vigilo.adapters.egress import EgressDenied
from vigilo.events.facts import HstsFacts
from vigilo.events.hostnames import InvalidHostname, is_ip_literal, normalise_hostname
from vigilo.events.hosts import Protocol, Target
from vigilo.events.scans import ADDRESSES_MAX, Lane, Outcome, ScanRequested, Snapshot
from vigilo.tls.addresses import parse_address
from vigilo.tls.certificate import read_certificate
from vigilo.tls.starttls.mail import MailService, mail_service

LIGHT_SECONDS = 4.0
_AT_ONCE = 5  # connections to one host at a time
# A person waits on the fast lane: once one address has answered, the others get this long.
_GRACE_SECONDS = 0.5
_SECOND_ASK_SECONDS = 2.0
_NEEDED_SECONDS = 2.0  # who gets a turn at an address later than this before the end could only report a timeout
_HSTS_SECONDS = 1.5  # a page may take its time; its headers are not worth more of ours

_LEFT_ALONE = "a mail server whose watchdog may ban us: it has had enough connections within ten minutes"

_Looking = asyncio.Task[AddressSeen]


async def scan_target(request: ScanRequested, tools: Tools) -> Snapshot:
    """Performs one scan; ends within about 4 s, a full one within 34 s, and a greeting may take 20 s on top.

    Raises nothing for anything DNS, network or peer can do.
    """
    loop = asyncio.get_running_loop()
    begun, started_at = loop.time(), tools.now()
    seen = await _look_at_host(request, tools, deadline=begun + LIGHT_SECONDS)
    deeper, further = await asyncio.gather(_look_deeper(request, seen, tools), _look_further(request, seen, tools))
    timing = probing.Timing(started_at, tools.now(), round((loop.time() - begun) * 1000))
    snapshot = probing.describe(request, seen, timing, scanner=tools.name, deeper=deeper)
    return snapshot.model_copy(update={"without_sni": further.without_sni, "resumption": further.resumption})


async def _look_deeper(request: ScanRequested, seen: HostSeen, tools: Tools) -> PostureSeen:
    return PostureSeen() if seen.failure is not None else await Depths(request, tools, _sni(request.target)).look(seen)


async def _look_further(request: ScanRequested, seen: HostSeen, tools: Tools) -> MoreSeen:
    first = to_ask(request, seen)
    if first is None or first.handshake is None:
        return MoreSeen()
    look = _Look(request.target, tools, asyncio.get_running_loop().time() + MORE_SECONDS)
    round_trip = (first.connect_ms or 0) / 1000
    turn = partial(tools.courtesy.handshake, first.address, deadline=look.deadline)
    return await MoreHandshakes(look.approach(first.address), first.handshake, turn, round_trip).look()


async def _look_at_host(request: ScanRequested, tools: Tools, *, deadline: float) -> HostSeen:
    target = request.target
    try:
        _sni(target)
        if target.address is not None:
            found: Sequence[Address] = (_literal(target.address),)
        else:
            found = await find_addresses(_hostname(target.hostname), tools.resolver, deadline=deadline)
    except Unsuccessful as failure:
        return HostSeen(failure=failure)
    addresses = probing.stable_order(found)[:ADDRESSES_MAX]
    known = None if request.baseline is None else request.baseline.detected_protocol
    patience, in_haste = greeting_seconds(request), request.lane is Lane.NOW
    lines = 2 if request.probes_max else 1
    look = _Look(target, tools, deadline + patience, known, patience, in_haste, lines)
    seen = await _look_at_all(addresses, look, in_haste=in_haste, deadline=look.deadline)
    return HostSeen(addresses=await _asked_again(seen, look))


def _hostname(text: str) -> str:
    try:
        return normalise_hostname(text)
    except InvalidHostname as error:
        raise Unsuccessful(Outcome.NAME_NOT_FOUND, f"no hostname: {error.reason}") from error


def _literal(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise Unsuccessful(Outcome.NAME_NOT_FOUND, f"no IP address: {text[:60]}") from error


async def _look_at_all(
    addresses: Sequence[Address], look: _Look, *, in_haste: bool, deadline: float
) -> tuple[AddressSeen, ...]:
    """Every address, five at a time; what is not done in time is said to be so."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(address: Address) -> AddressSeen:
        async with slots:
            return await look.at(address)

    tasks = {address: asyncio.create_task(one(address)) for address in probing.in_turn(addresses)}
    try:
        await _until_enough(tasks.values(), in_haste=in_haste, deadline=deadline)
        return tuple(_result_of(address, tasks[address]) for address in addresses)
    finally:
        await _cancel(tasks.values())


async def _until_enough(tasks: Collection[_Looking], *, in_haste: bool, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    waiting = set(tasks)
    while waiting and loop.time() < deadline:
        left = deadline - loop.time()
        done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if waiting and in_haste and any(task.result().outcome is Outcome.OK for task in done):
            deadline = min(deadline, loop.time() + _GRACE_SECONDS)


def _result_of(address: Address, task: _Looking) -> AddressSeen:
    if task.done():
        return task.result()
    return AddressSeen(address, Outcome.NOT_PERFORMED, "not waited for: another address had answered, or time was up")


async def _cancel(tasks: Collection[_Looking]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _asked_again(seen: tuple[AddressSeen, ...], look: _Look) -> tuple[AddressSeen, ...]:
    """What needs connections of its own, at the address that speaks for the host: HSTS, and a missing staple."""
    first = probing.speaker(seen) if seen else None
    if first is None or first.handshake is None or not first.handshake.chain or first.outcome is not Outcome.OK:
        return seen
    again, hsts = await asyncio.gather(_staple_again(first, look), look.hsts(first))
    again = replace(again, hsts=hsts)
    return tuple(again if one is first else one for one in seen)


async def _staple_again(first: AddressSeen, look: _Look) -> AddressSeen:
    """A missing staple is asked for once more, 2 s later."""
    chain = first.handshake.chain if first.handshake is not None else ()
    leaf = read_certificate(chain[0])
    if not probing.needs_second_ask(first, has_ocsp_url=bool(leaf.ocsp_urls)):
        return first
    return await look.ask_again(first)


@dataclass(frozen=True, slots=True)
class _Look:
    """How one target is looked at, whichever of its addresses."""

    target: Target
    tools: Tools
    deadline: float
    known: Protocol | None = None
    patience: float = 0.0
    in_haste: bool = True
    lines: int = 1  # that this scan needs in a mail server's log to be worth it

    async def at(self, address: Address) -> AddressSeen:
        """One address, first connection to last byte. Raises nothing but bugs."""
        try:
            self.tools.egress.check(address, self.target.port)
        except EgressDenied as error:
            return AddressSeen(address, Outcome.DENIED, error.reason)
        if not (self.in_haste or self._is_welcome(address, self.lines)):
            return AddressSeen(address, Outcome.NOT_PERFORMED, _LEFT_ALONE)
        try:
            async with self.tools.courtesy.handshake(address, deadline=self.deadline - _NEEDED_SECONDS):
                seen = await self._look(address)
        except Unsuccessful as failure:
            return AddressSeen(address, failure.outcome, failure.detail)
        self._note(seen)
        return seen

    async def _look(self, address: Address) -> AddressSeen:
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            connection = await self._connect(address)
        except Unsuccessful as failure:
            return AddressSeen(address, failure.outcome, failure.detail)
        seen = AddressSeen(address, Outcome.OK, connect_ms=_ms(clock() - begun))
        begun = clock()
        try:
            handshake = await self.approach(address).shake_hands(connection)
        except Unsuccessful as failure:
            partial = failure.seen if isinstance(failure, TlsFailed) and failure.seen.chain else None
            spoken = failure.protocol if partial is None else failure.protocol or Protocol.TLS
            detail = self._detail(failure)
            return replace(seen, outcome=failure.outcome, detail=detail, handshake=partial, protocol=spoken)
        took = _ms(clock() - begun)
        return replace(seen, handshake=handshake, handshake_ms=took, protocol=handshake.protocol)

    async def ask_again(self, seen: AddressSeen) -> AddressSeen:
        """The same address, asked for its staple once more if the deadline leaves room for it."""
        loop = asyncio.get_running_loop()
        needed = 2 * ((seen.connect_ms or 0) + (seen.handshake_ms or 0)) / 1000
        if loop.time() + _SECOND_ASK_SECONDS + needed > self.deadline or seen.handshake is None:
            return seen
        if not self._is_welcome(seen.address):
            return seen
        await asyncio.sleep(_SECOND_ASK_SECONDS)
        again = await self.at(seen.address)
        if again.handshake is None or again.outcome is not Outcome.OK:
            return seen
        return replace(seen, asked_again=True, handshake=replace(seen.handshake, staple=again.handshake.staple))

    def _service(self, spoken: Protocol | None = None) -> MailService | None:
        asked = None if self.target.protocol is Protocol.AUTO else self.target.protocol
        return mail_service(self.target.port, spoken or asked or self.known)

    def _is_welcome(self, address: Address, lines: int = 1) -> bool:
        service = self._service()
        return service is None or self.tools.manners.has_room(address, service, lines)

    def _note(self, seen: AddressSeen) -> None:
        """Whoever leaves a mailbox server without a login is a line in its log; others must have failed for that."""
        service = self._service(seen.protocol)
        is_line = service is MailService.MAILBOX or seen.outcome is not Outcome.OK
        if service is not None and is_line and seen.connect_ms is not None:
            self.tools.manners.note(seen.address, service)

    def _detail(self, failure: Unsuccessful) -> str:
        hasty = isinstance(failure, DialogueFailed) and failure.ungreeted and not self.patience
        return f"{failure.detail}: {words_for_haste(LIGHT_SECONDS)}" if hasty else failure.detail

    async def _connect(self, address: Address) -> socket.socket:
        self.tools.count_connection()
        return await connect(address, self.target.port, deadline=self.deadline)

    def approach(self, address: Address) -> Approach:
        """How one address is reached."""
        target, tools = self.target, self.tools
        return Approach(
            asked=target.protocol,
            known=self.known,
            port=target.port,
            name=_sni(target),
            peer_name=_hostname(target.sni or target.hostname),
            own_name=tools.ehlo_name,
            context=tools.context,
            deadline=self._until(),
            greeting_seconds=self.patience,
            connect=lambda: self._connect(address),
            part=tools.part_from,
        )

    def _until(self) -> float:
        return min(self.deadline, asyncio.get_running_loop().time() + LIGHT_SECONDS) if self.patience else self.deadline

    async def hsts(self, seen: AddressSeen) -> HstsFacts | None:
        """What GET / says of HSTS, on a connection of its own; None where it is no question, or no time is left."""
        name, port, loop = _sni(self.target), self.target.port, asyncio.get_running_loop()
        if name is None or seen.handshake is None or not probing.speaks_http(seen.handshake, port):
            return None
        question = Question(seen.address, port, name, alpn=seen.handshake.alpn is not None)
        until = min(self.deadline, loop.time() + _HSTS_SECONDS)
        try:
            async with self.tools.courtesy.handshake(seen.address, deadline=until):
                self.tools.count_connection()
                return await ask_for_hsts(question, self.tools.context, self.tools.part_from, deadline=until)
        except Unsuccessful as failure:
            return HstsFacts(parse_error=failure.detail)


def _sni(target: Target) -> str | None:
    """The name to ask for; none for IP literals (RFC 6066 section 3). Raises Unsuccessful for what is no name."""
    name = _hostname(target.sni or target.hostname)
    return None if is_ip_literal(name) else name


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
