"""Whatever a DNS server answers, a name has addresses or there is a reason why not, by the deadline."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rrset

from services.scanner.dns_servers import DnsResolver
from services.scanner.sightings import Unsuccessful
from vigilo.events.scans import ADDRESSES_MAX, Outcome

ROUNDS = 150
REASONS = {Outcome.DNS_FAILURE, Outcome.DNS_TIMEOUT, Outcome.NAME_NOT_FOUND}


def _damaged(query: bytes, chance: random.Random) -> bytes:
    """An answer that is right but for a few bytes, or cut, or too much of it; or no answer at all."""
    response = dns.message.make_response(dns.message.from_wire(query))
    response.flags |= dns.flags.RA
    name = response.question[0].name
    addresses = [f"192.0.2.{number % 256}" for number in range(chance.choice((1, 3, 400)))]
    response.answer.append(dns.rrset.from_text_list(name, 60, "IN", "A", addresses))
    wire = bytearray(response.to_wire(max_size=65_535))
    for _ in range(chance.randrange(6)):
        wire[chance.randrange(len(wire))] = chance.randrange(256)
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 600))
    if kind == 1:
        return bytes(wire[: chance.randrange(1, len(wire))])
    if kind == 2:
        return bytes(wire) + chance.randbytes(50)
    return bytes(wire[:9000])


@contextmanager
def _babbler(seed: int) -> Iterator[tuple[str, int]]:
    chance = random.Random(seed)

    def answer(server: socket.socket) -> None:
        while True:
            try:
                query, peer = server.recvfrom(4096)
                if query:
                    server.sendto(_damaged(query, chance), peer)
            except OSError:
                return

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        yield server.getsockname()


async def test_any_answer_gives_addresses_or_a_reason() -> None:
    deadline = asyncio.get_running_loop().time() + 1.5

    async def ask(number: int, resolver: DnsResolver) -> str:
        try:
            found = await resolver.resolve(f"n{number}.test", deadline=deadline)
        except Unsuccessful as failure:
            assert failure.outcome in REASONS
            return failure.outcome
        assert found
        return "found" if len(found) <= ADDRESSES_MAX else "found many"

    with _babbler(seed=20261123) as address:
        resolver = DnsResolver([address])
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*(ask(number, resolver) for number in range(ROUNDS)))
    assert {"found", Outcome.DNS_TIMEOUT} <= set(ends)  # what is no answer is waited out
