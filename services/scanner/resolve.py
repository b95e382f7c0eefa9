"""Names to addresses, under an absolute deadline, with the three ways to fail told apart.

The usual way to ask is the system's (hosts file, search domains, whatever the machine is set up with), here; the other
is to ask given DNS servers (services.scanner.dns_servers). An IP literal is never asked for.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Protocol

from services.scanner.sightings import Address, Unsuccessful
from vigilo.events.hostnames import is_ip_literal
from vigilo.events.scans import Outcome
from vigilo.tls.addresses import parse_address

DNS_SECONDS = 3.0  # of a light scan's 4: what is left must do for a connect

Found = tuple[Address, ...]


class Resolver(Protocol):
    """Asks for a name's addresses."""

    async def resolve(self, hostname: str, *, deadline: float) -> Found:
        """At least one address, in no particular order. `deadline` in the running loop's time.

        Raises Unsuccessful: name-not-found, dns-failure, dns-timeout.
        """
        ...


async def find_addresses(hostname: str, resolver: Resolver, *, deadline: float) -> Found:
    """The addresses of a hostname or IP literal. Raises Unsuccessful; asks for at most 3 s."""
    if is_ip_literal(hostname):
        return (ip_address(hostname),)
    until = min(deadline, asyncio.get_running_loop().time() + DNS_SECONDS)
    try:
        async with asyncio.timeout_at(until):
            return await resolver.resolve(hostname, deadline=until)
    except TimeoutError as error:
        raise Unsuccessful(Outcome.DNS_TIMEOUT, f"no answer from DNS for {hostname}") from error


class SystemResolver:
    """getaddrinfo in threads of its own, so that slow names hold up nothing but each other. Close it.

    A call cannot be cancelled: one that outlives its deadline keeps its thread until the C library gives up.
    """

    def __init__(self, *, threads: int = 64) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="getaddrinfo")

    def close(self) -> None:
        """Stops taking questions; does not wait for the answers."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def resolve(self, hostname: str, *, deadline: float) -> Found:
        """See Resolver; the caller's timeout is the deadline."""
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._pool, _ask_the_system, hostname)
        except socket.gaierror as error:
            raise _explained(hostname, error) from error
        except UnicodeError as error:  # a name too odd for the C library's encoding
            raise Unsuccessful(Outcome.NAME_NOT_FOUND, f"{hostname} is no name DNS can be asked for") from error
        return tuple(parse_address(answer) for answer in answers)


def _ask_the_system(hostname: str) -> list[str]:
    answers = socket.getaddrinfo(hostname, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in answers]


def _explained(hostname: str, error: socket.gaierror) -> Unsuccessful:
    if error.errno == socket.EAI_NONAME:
        return Unsuccessful(Outcome.NAME_NOT_FOUND, f"{hostname} does not exist, or has no address")
    if error.errno == getattr(socket, "EAI_NODATA", None):
        return Unsuccessful(Outcome.NAME_NOT_FOUND, f"{hostname} exists but has no address")
    return Unsuccessful(Outcome.DNS_FAILURE, f"DNS failed for {hostname}: {error.strerror}")
