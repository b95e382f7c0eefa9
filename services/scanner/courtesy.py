"""How many connections one address gets from this process at a time, whichever scans they belong to.

Two ports of one machine, or a hundred names behind one balancer, are one address: five probes for each scan of it
would be a flood. Handshakes, which nobody should miss, go before probes, which can wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from services.scanner.sightings import Address, Unsuccessful
from vigilo.events.scans import Outcome

PER_ADDRESS = 10
PROBES_PER_ADDRESS = 5

_Waiting = deque[asyncio.Future[None]]


@dataclass(slots=True)
class _Door:
    """One address: who is inside, who waits."""

    handshakes: int = 0
    probes: int = 0
    waiting_handshakes: _Waiting = field(default_factory=deque)
    waiting_probes: _Waiting = field(default_factory=deque)


@dataclass(slots=True)
class Courtesy:
    """Turns at addresses: at most `per_address` at a time, of them at most `probes_per_address` probes.

    For one event loop. An address is forgotten when nobody is there.
    """

    per_address: int = PER_ADDRESS
    probes_per_address: int = PROBES_PER_ADDRESS
    _doors: dict[Address, _Door] = field(default_factory=dict)

    def handshake(self, address: Address, *, deadline: float) -> AbstractAsyncContextManager[None]:
        """One turn for a handshake. Entering raises Unsuccessful (not-performed) when none came by `deadline`."""
        return _Turn(self, address, deadline)

    def probe(self, address: Address) -> AbstractAsyncContextManager[None]:
        """Turns for probes: may be entered again and again, by several tasks, and waits for as long as it takes."""
        return _Turn(self, address)

    @property
    def waiting(self) -> int:
        """How many wait for their turn, at all addresses."""
        return sum(len(door.waiting_handshakes) + len(door.waiting_probes) for door in self._doors.values())

    def is_free(self, address: Address) -> bool:
        """True when nobody is or waits at the address."""
        return address not in self._doors

    async def _enter(self, address: Address, *, probe: bool) -> None:
        door = self._doors.setdefault(address, _Door())
        queue = door.waiting_probes if probe else door.waiting_handshakes
        ahead = bool(queue) or (probe and bool(door.waiting_handshakes))
        if not ahead and self._has_room(door, probe=probe):
            _count(door, 1, probe=probe)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):  # somebody who left has passed it over already
                    queue.remove(turn)
                self._forget(address, door)
            else:  # called in at the very moment of leaving
                self._leave(address, probe=probe)
            raise

    def _leave(self, address: Address, *, probe: bool) -> None:
        door = self._doors[address]
        _count(door, -1, probe=probe)
        for queue, of_probes in ((door.waiting_handshakes, False), (door.waiting_probes, True)):
            while queue and self._has_room(door, probe=of_probes):
                turn = queue.popleft()
                if not turn.done():
                    _count(door, 1, probe=of_probes)
                    turn.set_result(None)
        self._forget(address, door)

    def _has_room(self, door: _Door, *, probe: bool) -> bool:
        if probe and door.probes >= self.probes_per_address:
            return False
        return door.handshakes + door.probes < self.per_address

    def _forget(self, address: Address, door: _Door) -> None:
        if not (door.handshakes or door.probes or door.waiting_handshakes or door.waiting_probes):
            self._doors.pop(address, None)


def _count(door: _Door, change: int, *, probe: bool) -> None:
    if probe:
        door.probes += change
    else:
        door.handshakes += change


@dataclass(frozen=True, slots=True)
class _Turn(AbstractAsyncContextManager[None]):
    courtesy: Courtesy
    address: Address
    deadline: float | None = None

    async def __aenter__(self) -> None:
        if self.deadline is None:
            await self.courtesy._enter(self.address, probe=True)
            return
        try:
            async with asyncio.timeout_at(self.deadline):
                await self.courtesy._enter(self.address, probe=False)
        except TimeoutError as error:
            raise Unsuccessful(
                Outcome.NOT_PERFORMED, f"other scans of {self.address} left no time: at most so many at once"
            ) from error

    async def __aexit__(self, *_: object) -> None:
        self.courtesy._leave(self.address, probe=self.deadline is None)
