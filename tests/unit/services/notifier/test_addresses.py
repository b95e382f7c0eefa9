"""A name is resolved once, all its addresses are judged, and the one that was judged is connected to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from services.notifier.addresses import checked_address
from vigilo.adapters.egress import DeliveryEgress, EgressDenied, parse_grants

PUBLIC = "93.184.216.34"


class Resolver:
    """Answers as told, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append((host, port))
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]


async def resolve(
    monkeypatch: pytest.MonkeyPatch, resolver: Resolver, *, encrypted: bool = True, allow: tuple[str, ...] = ()
) -> str:
    """The address chosen for hooks.acme.test."""
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver.getaddrinfo)
    return await checked_address(DeliveryEgress(parse_grants(allow)), "hooks.acme.test", 443, encrypted=encrypted)


async def test_a_public_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(PUBLIC, "1.1.1.1")
    assert await resolve(monkeypatch, resolver) == PUBLIC
    assert resolver.asked == [("hooks.acme.test", 443)]


@pytest.mark.parametrize("other", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1"])
async def test_one_forbidden_address_forbids_the_name(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    for answers in ((PUBLIC, other), (other, PUBLIC)):
        with pytest.raises(EgressDenied):
            await resolve(monkeypatch, Resolver(*answers))


async def test_a_grant_opens_its_port_alone_and_never_the_metadata_service(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await resolve(monkeypatch, Resolver("10.0.0.1"), allow=("10.0.0.0/8:443",)) == "10.0.0.1"
    with pytest.raises(EgressDenied):
        await resolve(monkeypatch, Resolver("10.0.0.1"), allow=("10.0.0.0/8:25",))
    with pytest.raises(EgressDenied):
        await resolve(monkeypatch, Resolver("169.254.169.254"), allow=("0.0.0.0/0:*",))


async def test_the_clear_needs_a_grant_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EgressDenied):
        await resolve(monkeypatch, Resolver(PUBLIC), encrypted=False)


async def test_no_name_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="no such name"):
        await resolve(monkeypatch, Resolver())
    with pytest.raises(OSError):
        await checked_address(DeliveryEgress(), f"{'a' * 64}.test", 443, encrypted=True)
