"""Asking given DNS servers directly, A and AAAA at once, without giving up on slow ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from services.scanner.resolve import DNS_SECONDS, Found
from services.scanner.sightings import Unsuccessful
from vigilo.events.scans import Outcome
from vigilo.tls.addresses import parse_address

_SECOND_ANSWER_SECONDS = 0.25  # how long one family's addresses wait for the other's (RFC 8305 section 3, rounded up)
_PATIENCE_SECONDS = 0.7  # a datagram may have been lost
_LOOPBACK = ("127.0.0.1", "::1")


class DnsResolver:
    """Asks given DNS servers (`(address, port)`, in order) for A and AAAA at once."""

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        in_order = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
        self._resolvers = [_resolver(in_order), _resolver([*in_order[1:], *in_order[:1]])]

    async def resolve(self, hostname: str, *, deadline: float) -> Found:
        """See Resolver."""
        if hostname == "localhost" or hostname.endswith(".localhost"):  # RFC 6761 section 6.3
            return tuple(parse_address(address) for address in _LOOPBACK)
        asked = [asyncio.create_task(self._ask_patiently(hostname, kind, deadline)) for kind in ("A", "AAAA")]
        try:
            await _first_addresses(asked)
            return _together(hostname, asked)
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _ask_patiently(self, hostname: str, kind: str, deadline: float) -> Found:
        """Asks, and after a while asks the next server too, without giving up the first question.

        dnspython alone would drop a question to repeat it, and so never hear a server that takes longer than that.
        """
        first = asyncio.create_task(_ask(self._resolvers[0], hostname, kind, deadline))
        tasks = {first}
        try:
            done, _ = await asyncio.wait(tasks, timeout=_PATIENCE_SECONDS)
            if not done:
                tasks.add(asyncio.create_task(_ask(self._resolvers[1], hostname, kind, deadline)))
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _resolver(servers: Sequence[dns.nameserver.Nameserver]) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    # With several servers a silent one must leave time for the next.
    resolver.timeout = DNS_SECONDS if len(servers) == 1 else DNS_SECONDS / 2
    return resolver


async def _ask(resolver: dns.asyncresolver.Resolver, hostname: str, kind: str, deadline: float) -> Found:
    left = max(deadline - asyncio.get_running_loop().time(), 0.001)
    try:
        answer = await resolver.resolve(f"{hostname}.", kind, lifetime=left, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN as error:
        raise Unsuccessful(Outcome.NAME_NOT_FOUND, f"{hostname} does not exist") from error
    except dns.exception.Timeout as error:
        raise Unsuccessful(Outcome.DNS_TIMEOUT, f"no answer from DNS for {hostname}") from error
    except (dns.exception.DNSException, OSError) as error:
        raise Unsuccessful(Outcome.DNS_FAILURE, f"DNS failed for {hostname}: {_short(error)}") from error
    return tuple(parse_address(one.address) for one in answer.rrset or ())


async def _first_addresses(asked: Sequence[asyncio.Task[Found]]) -> None:
    """Waits for both answers; not for the second if the first says no such name, not for long if it has addresses."""
    waiting = set(asked)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(_does_not_exist(task) for task in done):
            return
        if any(task.exception() is None and task.result() for task in done):
            if waiting:
                await asyncio.wait(waiting, timeout=_SECOND_ANSWER_SECONDS)
            return


def _does_not_exist(task: asyncio.Task[Found]) -> bool:
    """NXDOMAIN is about the name, whatever was asked of it (RFC 8020)."""
    failure = task.exception()
    return isinstance(failure, Unsuccessful) and failure.outcome is Outcome.NAME_NOT_FOUND


def _together(hostname: str, asked: Sequence[asyncio.Task[Found]]) -> Found:
    answered = [task for task in asked if task.done()]
    found = tuple(address for task in answered if task.exception() is None for address in task.result())
    if found:
        return found
    for task in answered:
        failure = task.exception()
        if failure is not None:
            raise failure
    raise Unsuccessful(Outcome.NAME_NOT_FOUND, f"{hostname} exists but has no address")


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
