from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from services.scanner import resolve
from services.scanner.resolve import Found, SystemResolver, find_addresses
from services.scanner.sightings import Unsuccessful
from vigilo.events.scans import Outcome


class Silent:
    async def resolve(self, hostname: str, *, deadline: float) -> Found:
        await asyncio.sleep(3600)
        return ()


@pytest.fixture
def resolver() -> Iterator[SystemResolver]:
    resolver = SystemResolver(threads=2)
    yield resolver
    resolver.close()


async def find(resolver: resolve.Resolver, hostname: str, *, within: float = 5.0) -> Found:
    return await find_addresses(hostname, resolver, deadline=asyncio.get_running_loop().time() + within)


@pytest.mark.parametrize("literal", ["192.0.2.1", "2001:db8::1"])
async def test_nobody_is_asked_for_an_address(literal: str) -> None:
    assert await find(Silent(), literal) == (ip_address(literal),)


async def test_a_resolver_that_never_answers_is_a_timeout() -> None:
    with pytest.raises(Unsuccessful) as ended:
        await find(Silent(), "a.test", within=0.05)
    assert ended.value.outcome is Outcome.DNS_TIMEOUT


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (socket.EAI_NONAME, Outcome.NAME_NOT_FOUND),
        (-5, Outcome.NAME_NOT_FOUND),  # EAI_NODATA
        (socket.EAI_AGAIN, Outcome.DNS_FAILURE),
        (socket.EAI_FAIL, Outcome.DNS_FAILURE),
    ],
)
async def test_the_c_librarys_errors_are_told_apart(
    resolver: SystemResolver, monkeypatch: pytest.MonkeyPatch, code: int, outcome: Outcome
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "said the library")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unsuccessful) as ended:
        await find(resolver, "a.test")
    assert ended.value.outcome is outcome


async def test_a_stuck_lookup_holds_up_nobody_else(resolver: SystemResolver, monkeypatch: pytest.MonkeyPatch) -> None:
    released, real = threading.Event(), socket.getaddrinfo

    def answer(hostname: str, *rest: object, **named: object) -> object:
        if hostname == "stuck.test":
            released.wait(20)
        return real("127.0.0.1", None, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    stuck = asyncio.create_task(find(resolver, "stuck.test", within=0.5))
    begun = time.monotonic()
    assert await find(resolver, "quick.test") == (ip_address("127.0.0.1"),)
    assert not stuck.done() or time.monotonic() - begun > 0.5
    with pytest.raises(Unsuccessful) as ended:
        await stuck
    released.set()
    assert ended.value.outcome is Outcome.DNS_TIMEOUT
